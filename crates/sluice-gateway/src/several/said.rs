//! Whose words the lines are that come from several servers through one pipe: told beside the pipe, since no server may
//! say it of itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use sluice_core::label::Name;

/// What is known of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The servers whose words stand in it; none if they are the gateway's own.
    pub(crate) by: Vec<Name>,
    /// That no answer will come, and why: whether the call took effect is not known.
    pub(crate) lost: Option<&'static str>,
}

/// The same of every line that is under way, in their order.
pub(crate) type Lines = Rc<RefCell<VecDeque<Said>>>;

/// Where it is learned.
#[derive(Clone, Debug)]
pub(crate) enum Saying {
    /// There is one server.
    One(Name),
    /// There are several.
    Several(Lines),
}

impl Saying {
    /// Of the next line that is read.
    pub(crate) fn next(&self) -> Said {
        match self {
            Self::One(connector) => Said { by: vec![connector.clone()], lost: None },
            Self::Several(lines) => lines.borrow_mut().pop_front().unwrap_or_default(),
        }
    }
}

//! What the generator reaches.

use std::cell::RefCell;

use proptest::prelude::*;
use sluice_sim::generate::Coverage;

use crate::case::{Case, generated, hold};

#[test]
fn the_generator_reaches_every_construct_and_all_of_it_lowers() {
    let coverage = RefCell::new(Coverage::default());
    hold(300, generated(6).no_shrink(), |(definition, spec)| {
        coverage.borrow_mut().add(&definition);
        Case::of(&definition, &spec);
        Ok(())
    });
    let coverage = coverage.into_inner();
    println!("{coverage}");
    for construct in Coverage::CONSTRUCTS {
        assert!(coverage.percent(construct) >= 1, "`{construct}` is in fewer than 1 % of the programs");
    }
}

//! What is outside: services that apply effects, with or without knowing keys.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sluice_core::catalogue::{Catalogue, Idempotency};
use sluice_core::label::Name;
use sluice_engine::{Call, EffectKey};

/// How a service treats repetition: what the contract of the action says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Knows idempotency keys.
    Keyed,
    /// Tells by key whether an effect happened.
    LookedUp,
    /// Only reads.
    Natural,
    /// Knows nothing: a repetition is a second effect.
    Blind,
}

impl Kind {
    const fn of(idempotency: &Idempotency) -> Self {
        match idempotency {
            Idempotency::Key(_) => Self::Keyed,
            Idempotency::Lookup(_) => Self::LookedUp,
            Idempotency::Natural => Self::Natural,
            Idempotency::None => Self::Blind,
        }
    }
}

/// One application of an effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Its key.
    pub key: EffectKey,
    /// What kind of service applied it.
    pub kind: Kind,
    /// What was sent.
    pub arguments: Json,
}

/// All services together.
#[derive(Debug, Default)]
pub struct Services {
    /// In the order of application; repetitions that were dropped are not in it.
    pub applied: Vec<Effect>,
    replies: BTreeMap<EffectKey, Json>,
    kinds: BTreeMap<(Name, Name), Kind>,
    /// Repetitions that a key stopped.
    pub dropped: u64,
}

impl Services {
    /// The services behind a catalogue.
    #[must_use]
    pub fn of(catalogue: &Catalogue) -> Self {
        let kinds = catalogue.actions.iter().map(|(name, action)| (name.clone(), Kind::of(&action.idempotency)));
        Self { kinds: kinds.collect(), ..Self::default() }
    }

    /// How the service behind a call treats repetition.
    #[must_use]
    pub fn kind(&self, call: &Call) -> Kind {
        let name = (call.connector.clone(), call.action.clone());
        self.kinds.get(&name).copied().unwrap_or(Kind::Blind)
    }

    /// Applies a call, unless its key says that it was applied before.
    pub fn apply(&mut self, call: &Call) -> Json {
        let kind = self.kind(call);
        if kind != Kind::Blind
            && let Some(reply) = self.replies.get(&call.key)
        {
            self.dropped += 1;
            return reply.clone();
        }
        let reply = Self::reply(call);
        self.applied.push(Effect { key: call.key, kind, arguments: call.arguments.clone() });
        self.replies.insert(call.key, reply.clone());
        reply
    }

    /// The first reply to a key, if it was applied.
    #[must_use]
    pub fn reply_to(&self, key: EffectKey) -> Option<&Json> {
        self.replies.get(&key)
    }

    /// A function of what was asked, so that a run with faults can be compared with one without.
    fn reply(call: &Call) -> Json {
        let number = call.arguments.get("n").and_then(Json::as_i64).unwrap_or_default();
        json!({ "n": number.wrapping_add(1) % 1_000, "echo": call.arguments, "items": [number % 3, number % 5] })
    }
}

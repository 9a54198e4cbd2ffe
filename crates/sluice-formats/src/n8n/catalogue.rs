//! stub
use std::collections::BTreeSet;
use sluice_core::{catalogue::Usage, gate::Effect, label::Name};
use crate::import::*;
#[derive(Clone, Copy, PartialEq, Eq, Debug)] pub enum From { Replace, Echo, Merge }
#[derive(Clone)] pub struct ParameterPattern; impl ParameterPattern { pub fn fits(&self, _: &str) -> bool { false } }
#[derive(Clone)] pub struct Found { pub kind: Kind, pub part: Option<Name>, pub service: Option<Name>, pub action: String, pub effect: Effect, pub sink: Option<Name>, pub privileged: bool, pub destructive: bool, pub human_gate: bool, pub arguments: Vec<(ParameterPattern, Option<Usage>)>, pub unnamed: Option<Usage>, pub output: From, pub source: Option<(Name, Tier)>, pub labels: Vec<Name>, pub classify_fields: bool, pub entrance: Option<Entrance>, pub confidence: Confidence }
pub struct NodeCatalogue; pub struct Lexicon;
impl NodeCatalogue { pub fn look_up(&self, _: &str, _: f64, _: &dyn Fn(&str) -> Option<String>) -> Found { todo!() } pub fn lexicon(&self) -> &Lexicon { todo!() } }
impl Lexicon { pub fn classify(&self, _: &[&str]) -> BTreeSet<Name> { todo!() } }

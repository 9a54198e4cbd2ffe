//! Policies of other applications: their own Cedar schema, policies and entities, which this workspace keeps and answers for.
//!
//! Nothing of them decides a call of this workspace. A question names things by type and id and may bring properties; those that
//! the schema declares count for that question, in place of what is kept. Whatever is no question of the schema is denied, and so
//! is one in which any policy could not be evaluated.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    Schema, SchemaFragment, ValidationMode, Validator,
};
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

/// Most bytes of all their files.
const BYTES_MAX: usize = 4 << 20;
/// Types of this workspace's own questions: an application has none of that name.
const OURS: [&str; 2] = ["destination", "dataset"];
/// How deep one name of a type may stand for another.
const NAMES_DEEP: usize = 8;

/// The properties that somebody or something has.
pub type Properties = Map<String, Json>;

/// A subject or resource of a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thing {
    /// Its type, as the schema names it.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What the question says of it.
    pub properties: Properties,
}

/// What is done, and what the question says of that and of its circumstances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deed {
    /// The action's name.
    pub name: String,
    /// What the question says of it: `context.action` in policies.
    pub properties: Properties,
    /// `context` in policies.
    pub context: Properties,
}

/// What is said of one question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Whether it may be done.
    pub is_allowed: bool,
    /// The policies that determined it.
    pub policies: Vec<String>,
    /// What whoever asks must do then: objects with `id` and `type`, as policies name them in `@obligations`.
    pub obligations: Vec<Json>,
    /// Why it could not be judged.
    pub why: Option<String>,
}

/// Why the files of other applications cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{file}`: {why}")]
pub struct GuestFlaw {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// The policies of other applications, read and validated as a whole.
pub struct Guest {
    schema: Schema,
    shapes: Shapes,
    policies: PolicySet,
    obligations: BTreeMap<String, Vec<Json>>,
    entities: Entities,
    /// What is kept of each thing, by type and id.
    kept: BTreeMap<String, BTreeMap<String, Json>>,
}

impl Guest {
    /// Reads files by path: one `.cedarschema`, any `.cedar`, entities in any `.json`.
    ///
    /// # Errors
    /// [`GuestFlaw`]: the first.
    pub fn load(sources: &[(&str, &str)]) -> Result<Self, GuestFlaw> {
        let flaw = |file: &str, why: String| GuestFlaw { file: file.to_owned(), why };
        let of = |ending: &'static str| sources.iter().filter(move |(file, _)| file.ends_with(ending));
        let folder = sources.first().map_or("", |(file, _)| file.rsplit_once('/').map_or(*file, |(folder, _)| folder));
        if sources.iter().map(|(_, text)| text.len()).sum::<usize>() > BYTES_MAX {
            return Err(flaw(folder, format!("all files have more than {BYTES_MAX} bytes")));
        }
        let mut schemas = of(".cedarschema");
        let (Some((file, text)), None) = (schemas.next(), schemas.next()) else {
            return Err(flaw(folder, "it has exactly one `.cedarschema`".to_owned()));
        };
        let (fragment, _) =
            SchemaFragment::from_cedarschema_str(text).map_err(|error| flaw(file, error.to_string()))?;
        let (schema, _) = Schema::from_cedarschema_str(text).map_err(|error| flaw(file, error.to_string()))?;
        let shapes = fragment.to_json_value().map_err(|error| flaw(file, error.to_string()))?;
        let shapes = Shapes::of(&shapes);
        if let Some(ours) = OURS.into_iter().find(|name| shapes.things.contains_key(*name)) {
            return Err(flaw(
                file,
                format!("`{ours}` is a type of the workspace's own questions; name yours otherwise"),
            ));
        }
        let (policies, obligations) = policies(of(".cedar"), &schema)?;
        let (entities, kept) = entities(of(".json"), &schema)?;
        Ok(Self { schema, shapes, policies, obligations, entities, kept })
    }

    /// Judges one question.
    #[must_use]
    pub fn decide(&self, subject: &Thing, deed: &Deed, resource: &Thing) -> Said {
        self.with(&[subject, resource]).map_or_else(denied, |world| self.judge(&world, subject, deed, resource))
    }

    /// The subjects of a type who may do something, among those that are kept.
    pub fn subjects<'g>(&'g self, kind: &'g str, deed: &'g Deed, resource: &'g Thing) -> impl Iterator<Item = &'g str> {
        let world = self.with(&[resource]).ok();
        self.kept(kind).filter(move |id| {
            let subject = Thing { kind: kind.to_owned(), id: (*id).to_owned(), ..Thing::default() };
            world.as_ref().is_some_and(|world| self.judge(world, &subject, deed, resource).is_allowed)
        })
    }

    /// The resources of a type on which somebody may do something, among those that are kept.
    pub fn resources<'g>(&'g self, kind: &'g str, subject: &'g Thing, deed: &'g Deed) -> impl Iterator<Item = &'g str> {
        let world = self.with(&[subject]).ok();
        self.kept(kind).filter(move |id| {
            let resource = Thing { kind: kind.to_owned(), id: (*id).to_owned(), ..Thing::default() };
            world.as_ref().is_some_and(|world| self.judge(world, subject, deed, &resource).is_allowed)
        })
    }

    /// What somebody may do on something.
    pub fn actions<'g>(
        &'g self,
        subject: &'g Thing,
        context: &'g Properties,
        resource: &'g Thing,
    ) -> impl Iterator<Item = &'g str> {
        let world = self.with(&[subject, resource]).ok();
        self.shapes.actions.keys().map(String::as_str).filter(move |name| {
            let deed = Deed { name: (*name).to_owned(), context: context.clone(), ..Deed::default() };
            world.as_ref().is_some_and(|world| self.judge(world, subject, &deed, resource).is_allowed)
        })
    }

    fn kept(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.kept.get(kind).into_iter().flat_map(|all| all.keys().map(String::as_str))
    }

    /// What is kept, with what a question says of these things in place of it.
    fn with(&self, things: &[&Thing]) -> Result<Cow<'_, Entities>, String> {
        let mut told = Vec::new();
        for thing in things {
            let Some(declared) = self.shapes.things.get(&thing.kind) else {
                return Err(format!("there is no type `{}`", thing.kind));
            };
            let said = thing.properties.iter().filter(|(name, _)| declared.contains(*name));
            let said: Vec<(&String, &Json)> = said.collect();
            if said.is_empty() {
                continue;
            }
            let kept = self.kept.get(&thing.kind).and_then(|all| all.get(&thing.id));
            let mut attributes = kept.and_then(|kept| kept.get("attrs")?.as_object().cloned()).unwrap_or_default();
            attributes.extend(said.into_iter().map(|(name, value)| (name.clone(), value.clone())));
            let parents = kept.and_then(|kept| kept.get("parents").cloned()).unwrap_or_else(|| json!([]));
            let uid = json!({ "type": thing.kind, "id": thing.id });
            let whole = json!({ "uid": uid, "attrs": attributes, "parents": parents });
            let entity = Entity::from_json_value(whole, Some(&self.schema));
            told.push(entity.map_err(|error| format!("the properties of `{}` do not fit: {error}", thing.id))?);
        }
        if told.is_empty() {
            return Ok(Cow::Borrowed(&self.entities));
        }
        let whole = self.entities.clone().upsert_entities(told, Some(&self.schema));
        whole.map(Cow::Owned).map_err(|error| error.to_string())
    }

    fn judge(&self, world: &Entities, subject: &Thing, deed: &Deed, resource: &Thing) -> Said {
        match self.request(subject, deed, resource) {
            Err(why) => denied(why),
            Ok(request) => self.answer(&Authorizer::new().is_authorized(&request, &self.policies, world)),
        }
    }

    fn request(&self, subject: &Thing, deed: &Deed, resource: &Thing) -> Result<Request, String> {
        let uid = |thing: &Thing| {
            let kind =
                EntityTypeName::from_str(&thing.kind).map_err(|_| format!("there is no type `{}`", thing.kind))?;
            Ok::<_, String>(EntityUid::from_type_name_and_id(kind, EntityId::new(&thing.id)))
        };
        let none = || format!("there is no action `{}`", deed.name);
        let declared = self.shapes.actions.get(&deed.name).ok_or_else(none)?;
        let kind = EntityTypeName::from_str("Action").map_err(|error| error.to_string())?;
        let action = EntityUid::from_type_name_and_id(kind, EntityId::new(&deed.name));
        let mut context: Properties =
            deed.context.iter().filter(|(name, _)| declared.context.contains(*name)).map(owned).collect();
        if declared.context.contains("action") {
            let said = deed.properties.iter().filter(|(name, _)| declared.properties.contains(*name)).map(owned);
            context.insert("action".to_owned(), Json::Object(said.collect()));
        }
        let context = Context::from_json_value(Json::Object(context), Some((&self.schema, &action)));
        let context = context.map_err(|error| format!("the context does not fit: {error}"))?;
        Request::new(uid(subject)?, action, uid(resource)?, context, Some(&self.schema))
            .map_err(|error| error.to_string())
    }

    fn answer(&self, response: &cedar_policy::Response) -> Said {
        let errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        // Cedar skips a policy that errs; an erring `forbid` would let it through.
        if !errors.is_empty() {
            return denied(errors.join("; "));
        }
        let mut policies: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        policies.sort();
        let obligations = policies.iter().filter_map(|id| self.obligations.get(id)).flatten().cloned().collect();
        Said { is_allowed: response.decision() == Decision::Allow, policies, obligations, why: None }
    }
}

fn owned((name, value): (&String, &Json)) -> (String, Json) {
    (name.clone(), value.clone())
}

fn denied(why: String) -> Said {
    Said { why: Some(why), ..Said::default() }
}

type Policies = (PolicySet, BTreeMap<String, Vec<Json>>);

fn policies<'s>(files: impl Iterator<Item = &'s (&'s str, &'s str)>, schema: &Schema) -> Result<Policies, GuestFlaw> {
    let (mut all, mut obligations) = (PolicySet::new(), BTreeMap::new());
    let mut last = "";
    for (file, text) in files {
        last = file;
        let flaw = |why: String| GuestFlaw { file: (*file).to_owned(), why };
        let read = PolicySet::from_str(text).map_err(|error| flaw(error.to_string()))?;
        if read.templates().next().is_some() {
            return Err(flaw("templates stand for nothing here; write policies".to_owned()));
        }
        for policy in read.policies() {
            let stem = file.rsplit('/').next().unwrap_or(file);
            let id = policy.annotation("id").map_or_else(|| format!("{stem}#{}", policy.id()), str::to_owned);
            if let Some(written) = policy.annotation("obligations") {
                obligations
                    .insert(id.clone(), read_obligations(written).map_err(|why| flaw(format!("`{id}`: {why}")))?);
            }
            all.add(policy.new_id(PolicyId::new(&id))).map_err(|_| flaw(format!("there are two policies `{id}`")))?;
        }
    }
    let checked = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
    if !checked.validation_passed() {
        let why: Vec<String> = checked.validation_errors().map(ToString::to_string).collect();
        return Err(GuestFlaw { file: last.to_owned(), why: why.join("; ") });
    }
    Ok((all, obligations))
}

fn read_obligations(written: &str) -> Result<Vec<Json>, String> {
    let read: Vec<Json> =
        serde_json::from_str(written).map_err(|error| format!("`@obligations` is no list: {error}"))?;
    let has = |one: &Json, key: &str| one.get(key).is_some_and(Json::is_string);
    if read.iter().all(|one| has(one, "id") && has(one, "type")) {
        Ok(read)
    } else {
        Err("each of `@obligations` has an `id` and a `type`".to_owned())
    }
}

type Kept = (Entities, BTreeMap<String, BTreeMap<String, Json>>);

fn entities<'s>(files: impl Iterator<Item = &'s (&'s str, &'s str)>, schema: &Schema) -> Result<Kept, GuestFlaw> {
    let (mut all, mut kept) = (Vec::new(), BTreeMap::<_, BTreeMap<_, _>>::new());
    let mut last = "";
    for (file, text) in files {
        last = file;
        let flaw = |why: &str| GuestFlaw { file: (*file).to_owned(), why: why.to_owned() };
        let read: Vec<Json> = serde_json::from_str(text).map_err(|error| flaw(&error.to_string()))?;
        for one in read {
            let text = |key: &str| one.get("uid")?.get(key)?.as_str().map(str::to_owned);
            let (Some(kind), Some(id)) = (text("type"), text("id")) else {
                return Err(flaw("an entity has a `uid` with `type` and `id`"));
            };
            if kept.entry(kind).or_default().insert(id.clone(), one.clone()).is_some() {
                return Err(flaw(&format!("`{id}` stands here twice")));
            }
            all.push(one);
        }
    }
    let read = Entities::from_json_value(Json::Array(all), Some(schema));
    read.map(|read| (read, kept)).map_err(|error| GuestFlaw { file: last.to_owned(), why: error.to_string() })
}

/// The names that a schema declares.
#[derive(Default)]
struct Shapes {
    /// Attributes by type.
    things: BTreeMap<String, BTreeSet<String>>,
    /// By the action's name.
    actions: BTreeMap<String, ActionShape>,
}

#[derive(Default)]
struct ActionShape {
    context: BTreeSet<String>,
    /// Of `context.action`.
    properties: BTreeSet<String>,
}

impl Shapes {
    /// Of a schema in its JSON form.
    fn of(schema: &Json) -> Self {
        let mut shapes = Self::default();
        for (namespace, space) in schema.as_object().into_iter().flatten() {
            let part = |key: &str| space.get(key).and_then(Json::as_object).into_iter().flatten();
            let common = space.get("commonTypes").cloned().unwrap_or_default();
            for (name, about) in part("entityTypes") {
                let full = if namespace.is_empty() { name.clone() } else { format!("{namespace}::{name}") };
                let attributes = about.get("shape").and_then(|shape| attributes(shape, &common, NAMES_DEEP));
                shapes.things.insert(full, names(attributes));
            }
            // Actions of a namespace have another type than the one that questions are asked of.
            for (name, about) in part("actions").filter(|_| namespace.is_empty()) {
                let context = about.pointer("/appliesTo/context").and_then(|c| attributes(c, &common, NAMES_DEEP));
                let properties = context.and_then(|c| c.get("action")).and_then(|a| attributes(a, &common, NAMES_DEEP));
                let shape = ActionShape { context: names(context), properties: names(properties) };
                shapes.actions.insert(name.clone(), shape);
            }
        }
        shapes
    }
}

/// The attributes of a record, also where it is named.
fn attributes<'j>(shape: &'j Json, common: &'j Json, deep: usize) -> Option<&'j Map<String, Json>> {
    if let Some(found) = shape.get("attributes") {
        return found.as_object();
    }
    let named = shape.get("name").or_else(|| shape.get("type")).and_then(Json::as_str)?;
    let next = common.get(named)?;
    attributes(next, common, deep.checked_sub(1)?)
}

fn names(attributes: Option<&Map<String, Json>>) -> BTreeSet<String> {
    attributes.into_iter().flat_map(|all| all.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "type Kind = { urgent?: Bool }; entity team; entity user in [team] { role?: String }; \
                          entity doc { level: Long }; \
                          action read appliesTo { principal: user, resource: doc, context: { action?: Kind, at?: String } };";
    const POLICIES: &str = r#"
        @id("team") @obligations("[{\"id\":\"o1\",\"type\":\"notification\",\"to\":\"owner\"}]")
        permit (principal in team::"a", action == Action::"read", resource) when { resource.level < 3 };
        @id("urgent") permit (principal, action, resource) when { context has action && context.action has urgent && context.action.urgent };
        @id("blocked") forbid (principal, action, resource) when { principal has role && principal.role == "blocked" };"#;
    const ENTITIES: &str = r#"[{"uid":{"type":"team","id":"a"},"attrs":{},"parents":[]},
        {"uid":{"type":"user","id":"eve"},"attrs":{},"parents":[{"type":"team","id":"a"}]},
        {"uid":{"type":"user","id":"bob"},"attrs":{"role":"blocked"},"parents":[{"type":"team","id":"a"}]},
        {"uid":{"type":"doc","id":"d1"},"attrs":{"level":1},"parents":[]},
        {"uid":{"type":"doc","id":"d5"},"attrs":{"level":5},"parents":[]}]"#;

    fn guest() -> Guest {
        let files = [("g/a.cedarschema", SCHEMA), ("g/a.cedar", POLICIES), ("g/e.json", ENTITIES)];
        Guest::load(&files).unwrap_or_else(|flaw| panic!("{flaw}"))
    }

    fn thing(kind: &str, id: &str, properties: Json) -> Thing {
        Thing { kind: kind.into(), id: id.into(), properties: properties.as_object().cloned().unwrap_or_default() }
    }

    fn read(properties: Json) -> Deed {
        Deed { name: "read".into(), properties: properties.as_object().cloned().unwrap_or_default(), ..Deed::default() }
    }

    #[test]
    fn what_a_question_says_counts_where_the_schema_declares_it_and_is_ignored_elsewhere() {
        let guest = guest();
        let is_allowed = |user: Json, deed: Json, doc: Json| {
            guest.decide(&thing("user", "eve", user), &read(deed), &thing("doc", "d1", doc)).is_allowed
        };
        let none = || json!({});
        assert!(is_allowed(none(), none(), none()));
        assert!(is_allowed(json!({ "department": "sales" }), json!({ "method": "GET" }), json!({ "owner": "bob" })));
        assert!(!is_allowed(none(), none(), json!({ "level": 3 })), "said in place of what is kept");
        assert!(is_allowed(none(), json!({ "urgent": true }), json!({ "level": 3 })));
        assert!(!is_allowed(json!({ "role": "blocked" }), none(), none()));
        for wrong in [json!({ "level": "low" }), json!({ "level": null }), json!({ "level": [1] })] {
            assert!(!is_allowed(none(), none(), wrong.clone()), "{wrong}");
        }
        assert!(!is_allowed(json!({ "role": ["blocked"] }), none(), none()), "another type evades nothing");
    }

    #[test]
    fn whatever_is_no_question_of_the_schema_is_denied() {
        let (guest, eve, doc) = (guest(), thing("user", "eve", json!({})), thing("doc", "d1", json!({})));
        for (subject, action, resource) in [
            (thing("spaceship", "eve", json!({})), "read", doc.clone()),
            (thing("a b", "eve", json!({})), "read", doc.clone()),
            (eve.clone(), "write", doc.clone()),
            (eve.clone(), "read", thing("team", "a", json!({}))),
            (eve.clone(), "read", thing("doc", "d9", json!({}))),
        ] {
            let said = guest.decide(&subject, &Deed { name: action.into(), ..Deed::default() }, &resource);
            assert!(!said.is_allowed && said.why.is_some(), "{subject:?} {action} {resource:?}: {said:?}");
        }
        let said = guest.decide(&eve, &read(json!({})), &doc);
        assert_eq!((said.policies, said.obligations.len()), (vec!["team".to_owned()], 1));
    }

    #[test]
    fn a_search_finds_who_what_and_which() {
        let (guest, eve, doc) = (guest(), thing("user", "eve", json!({})), thing("doc", "d1", json!({})));
        let deed = read(json!({}));
        assert_eq!(guest.subjects("user", &deed, &doc).collect::<Vec<_>>(), ["eve"]);
        assert_eq!(guest.resources("doc", &eve, &deed).collect::<Vec<_>>(), ["d1"]);
        assert_eq!(guest.actions(&eve, &Map::new(), &doc).collect::<Vec<_>>(), ["read"]);
        assert_eq!(guest.subjects("spaceship", &deed, &doc).count(), 0);
    }

    #[test]
    fn files_that_do_not_fit_each_other_are_refused_with_their_names() {
        let with = |schema: &str, policy: &str, entities: &str| {
            let files = [("g/s.cedarschema", schema), ("g/p.cedar", policy), ("g/e.json", entities)];
            Guest::load(&files).err().map(|flaw| flaw.file)
        };
        assert_eq!(with(SCHEMA, POLICIES, ENTITIES), None);
        assert_eq!(with("entity user {", POLICIES, "[]").as_deref(), Some("g/s.cedarschema"));
        assert_eq!(with("entity destination;", "", "[]").as_deref(), Some("g/s.cedarschema"));
        assert_eq!(
            with(SCHEMA, "permit(principal, action, resource) when { principal.x };", "[]").as_deref(),
            Some("g/p.cedar")
        );
        assert_eq!(
            with(SCHEMA, "@obligations(\"[{}]\") permit(principal, action, resource);", "[]").as_deref(),
            Some("g/p.cedar")
        );
        assert_eq!(
            with(SCHEMA, "", r#"[{"uid":{"type":"ship","id":"x"},"attrs":{},"parents":[]}]"#).as_deref(),
            Some("g/e.json")
        );
        assert!(Guest::load(&[("g/p.cedar", POLICIES)]).is_err());
    }
}

//! Questions and answers as they are sent. Fields that nobody here knows are ignored.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_policy::guest::{Deed, Properties, Thing};
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::rest::problem::Problem;
use crate::rest::sent::{maybe, maybe_all, object};

/// Most questions at once.
const QUESTIONS_MAX: usize = 1_000;

/// Who does something, or to what it is done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = AuthzenEntity)]
pub(super) struct Entity {
    r#type: String,
    id: String,
    #[schema(value_type = Option<Object>)]
    properties: Option<Properties>,
}

/// What is done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = AuthzenAction)]
pub(super) struct Action {
    name: String,
    #[schema(value_type = Option<Object>)]
    properties: Option<Properties>,
}

/// One question.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Evaluation {
    #[serde(deserialize_with = "object")]
    subject: Entity,
    #[serde(deserialize_with = "object")]
    action: Action,
    #[serde(deserialize_with = "object")]
    resource: Entity,
    #[schema(value_type = Option<Object>)]
    context: Option<Properties>,
}

/// A question as it is asked of policies.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) subject: Thing,
    pub(super) deed: Deed,
    pub(super) resource: Thing,
}

impl From<&Entity> for Thing {
    fn from(entity: &Entity) -> Self {
        let Entity { r#type, id, properties } = entity;
        Self { kind: r#type.clone(), id: id.clone(), properties: properties.clone().unwrap_or_default() }
    }
}

/// What is done in these circumstances.
pub(super) fn deed(action: &Action, context: Option<&Properties>) -> Deed {
    Deed {
        name: action.name.clone(),
        properties: action.properties.clone().unwrap_or_default(),
        context: context.cloned().unwrap_or_default(),
    }
}

impl Evaluation {
    pub(super) fn asked(&self) -> Asked {
        Asked {
            subject: (&self.subject).into(),
            deed: deed(&self.action, self.context.as_ref()),
            resource: (&self.resource).into(),
        }
    }
}

/// An entity of which a part may be said elsewhere.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenPartialEntity)]
struct PartOfEntity {
    r#type: Option<String>,
    id: Option<String>,
    #[schema(value_type = Option<Object>)]
    properties: Option<Properties>,
}

/// An action of which a part may be said elsewhere.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenPartialAction)]
struct PartOfAction {
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    properties: Option<Properties>,
}

/// One of several questions; what it lacks is taken from what is said for all of them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenPartialEvaluation)]
struct Part {
    #[serde(default, deserialize_with = "maybe")]
    subject: Option<PartOfEntity>,
    #[serde(default, deserialize_with = "maybe")]
    action: Option<PartOfAction>,
    #[serde(default, deserialize_with = "maybe")]
    resource: Option<PartOfEntity>,
    #[schema(value_type = Option<Object>)]
    context: Option<Properties>,
}

/// How several questions are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuthzenSemantic)]
pub(super) enum Semantic {
    /// Each of them.
    #[default]
    ExecuteAll,
    /// Up to the first that is denied.
    DenyOnFirstDeny,
    /// Up to the first that is allowed.
    PermitOnFirstPermit,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenOptions)]
struct Options {
    evaluations_semantic: Option<Semantic>,
}

/// Several questions.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = AuthzenBatch)]
pub(super) struct Batch {
    #[schema(required, value_type = Vec<Part>, min_items = 1, max_items = 1000)]
    #[serde(default, deserialize_with = "maybe_all")]
    evaluations: Option<Vec<Part>>,
    #[serde(default, deserialize_with = "maybe")]
    options: Option<Options>,
    #[serde(default, deserialize_with = "maybe")]
    subject: Option<PartOfEntity>,
    #[serde(default, deserialize_with = "maybe")]
    action: Option<PartOfAction>,
    #[serde(default, deserialize_with = "maybe")]
    resource: Option<PartOfEntity>,
    #[schema(value_type = Option<Object>)]
    context: Option<Properties>,
}

impl Batch {
    /// Each question, or why it is none; `None` if the request is one question itself.
    pub(super) fn questions(&self) -> Result<Option<Vec<Result<Evaluation, String>>>, Problem> {
        let Some(parts) = self.evaluations.as_ref().filter(|parts| !parts.is_empty()) else { return Ok(None) };
        if parts.len() > QUESTIONS_MAX {
            let why = format!("at most {QUESTIONS_MAX} questions are answered at once");
            return Err(Problem::new(StatusCode::BAD_REQUEST, 476, why));
        }
        Ok(Some(parts.iter().map(|part| self.whole(part)).collect()))
    }

    /// The request as one question.
    pub(super) fn single(&self) -> Result<Evaluation, String> {
        self.whole(&Part::default())
    }

    /// How they are answered.
    pub(super) fn semantic(&self) -> Semantic {
        self.options.as_ref().and_then(|options| options.evaluations_semantic).unwrap_or_default()
    }

    fn whole(&self, part: &Part) -> Result<Evaluation, String> {
        let context = part.context.as_ref().or(self.context.as_ref());
        Ok(Evaluation {
            subject: entity("subject", part.subject.as_ref(), self.subject.as_ref())?,
            action: action(part.action.as_ref(), self.action.as_ref())?,
            resource: entity("resource", part.resource.as_ref(), self.resource.as_ref())?,
            context: context.cloned(),
        })
    }
}

/// What is said of one question stands for what is said of all; `type` and `id` fall back on their own.
fn entity(name: &str, one: Option<&PartOfEntity>, all: Option<&PartOfEntity>) -> Result<Entity, String> {
    let text = |of: fn(&PartOfEntity) -> &Option<String>, key: &str| {
        let said = one.and_then(|one| of(one).clone()).or_else(|| all.and_then(|all| of(all).clone()));
        said.ok_or_else(|| format!("`{name}` has no `{key}`"))
    };
    Ok(Entity {
        r#type: text(|entity| &entity.r#type, "type")?,
        id: text(|entity| &entity.id, "id")?,
        properties: one.or(all).and_then(|entity| entity.properties.clone()),
    })
}

fn action(one: Option<&PartOfAction>, all: Option<&PartOfAction>) -> Result<Action, String> {
    let name = one.and_then(|one| one.name.clone()).or_else(|| all.and_then(|all| all.name.clone()));
    let name = name.ok_or("`action` has no `name`")?;
    Ok(Action { name, properties: one.or(all).and_then(|action| action.properties.clone()) })
}

/// Several questions, or one as it is.
pub(super) struct Evaluations;

impl PartialSchema for Evaluations {
    fn schema() -> RefOr<Schema> {
        let one_of_both = AnyOfBuilder::new()
            .item(Ref::from_schema_name(Batch::name()))
            .item(Ref::from_schema_name(Evaluation::name()));
        one_of_both.into()
    }
}

impl ToSchema for Evaluations {
    fn name() -> Cow<'static, str> {
        "AuthzenEvaluations".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in [(Batch::name(), Batch::schema()), (Evaluation::name(), Evaluation::schema())] {
            schemas.push((name.into_owned(), schema));
        }
        Batch::schemas(schemas);
        Evaluation::schemas(schemas);
    }
}

/// An answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuthzenAnswer)]
pub(super) struct Answer {
    /// Whether it is allowed.
    pub(super) decision: bool,
    /// Why, what must be done then, what access could be asked for.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    #[schema(value_type = Option<Object>)]
    pub(super) context: Properties,
}

impl Answer {
    /// One question of several that is none.
    pub(super) fn unreadable(why: &str) -> Self {
        Self::of(false, json!({ "error": { "status": 400, "message": why } }))
    }

    /// With a context; fields without a value are left out.
    pub(super) fn of(decision: bool, context: serde_json::Value) -> Self {
        let mut context = context.as_object().cloned().unwrap_or_default();
        context.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()));
        Self { decision, context }
    }
}

/// Answers to several questions, or to one.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AuthzenAnswers)]
pub(super) enum Answers {
    All { evaluations: Vec<Answer> },
    One(Answer),
}

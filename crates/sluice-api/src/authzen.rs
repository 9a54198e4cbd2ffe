//! AuthZEN 1.0: may this subject do this to this resource? Asked of this workspace's rules, and of those of other applications that
//! the signed bundle keeps.
//!
//! An answer about this workspace is a prediction: the call itself passes its gate, with the labels that it then has. A denial is an
//! answer (200); what cannot be read is none (400).
//!
//! Source: OpenID Authorization API 1.0; context as in the drafts on obligations and on access requests.

mod binding;
mod ours;
mod pdp;
mod search;
mod wire;

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::house::House;
use crate::rest::problem::Problem;
use crate::rest::scope::Scope;
use crate::rest::sent::Sent;
use crate::rest::{Asker, asked};
pub(crate) use binding::{Binding, Denial, Unbound};
pub(crate) use pdp::Guests;
use wire::{Answer, Answers, Batch, Evaluation, Evaluations, Semantic};

/// Every operation that needs somebody who asks.
pub(crate) fn operations() -> OpenApiRouter<Arc<House>> {
    OpenApiRouter::new()
        .routes(routes!(evaluation))
        .routes(routes!(evaluations))
        .routes(routes!(search::subject))
        .routes(routes!(search::resource))
        .routes(routes!(search::action))
}

/// Where the decision point says what it is, to anybody.
pub(crate) fn open_operations() -> OpenApiRouter<Arc<House>> {
    OpenApiRouter::new().routes(routes!(configuration))
}

/// Gives a request's name back with its answer, whatever the answer is.
pub(crate) async fn echo(request: Request, next: Next) -> Response {
    const NAME: HeaderName = HeaderName::from_static("x-request-id");
    let named = request.headers().get(NAME).cloned();
    let mut response = next.run(request).await;
    if let Some(named) = named {
        response.headers_mut().insert(NAME, named);
    }
    response
}

/// A question: JSON, and anything else is malformed.
struct Question<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Question<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = Sent::<T>::from_request(request, state).await;
        read.map(|Sent(question)| Self(question)).map_err(|problem| match problem.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => problem.with_status(StatusCode::BAD_REQUEST),
            _ => problem,
        })
    }
}

/// Answers one question.
#[utoipa::path(post, path = "/access/v1/evaluation", tag = "authzen", operation_id = "evaluate",
    params(("X-Request-ID" = Option<String>, Header)), request_body = Evaluation,
    responses((status = 200, description = "Allowed or denied", body = Answer)))]
async fn evaluation(
    State(house): State<Arc<House>>,
    asker: Asker,
    Question(question): Question<Evaluation>,
) -> Result<Json<Answer>, Problem> {
    let answer = asked(house, asker, Scope::Evaluate, move |asking| Ok(pdp::decide(asking, &question)));
    answer.await.map(Json)
}

/// Answers several questions at once.
#[utoipa::path(post, path = "/access/v1/evaluations", tag = "authzen", operation_id = "evaluate_all",
    params(("X-Request-ID" = Option<String>, Header)), request_body = Evaluations,
    responses((status = 200, description = "An answer to each, in order", body = Answers)))]
async fn evaluations(
    State(house): State<Arc<House>>,
    asker: Asker,
    Question(batch): Question<Batch>,
) -> Result<Json<Answers>, Problem> {
    let Some(all) = batch.questions()? else {
        let question = batch.single().map_err(Problem::malformed)?;
        let answer = asked(house, asker, Scope::Evaluate, move |asking| Ok(pdp::decide(asking, &question))).await?;
        return Ok(Json(Answers::One(answer)));
    };
    let semantic = batch.semantic();
    let answers = asked(house, asker, Scope::Evaluate, move |asking| {
        let mut answers = Vec::new();
        for question in all {
            let answer = match question {
                Ok(question) => pdp::decide(asking, &question),
                Err(why) => Answer::unreadable(&why),
            };
            let is_last = match semantic {
                Semantic::ExecuteAll => false,
                Semantic::DenyOnFirstDeny => !answer.decision,
                Semantic::PermitOnFirstPermit => answer.decision,
            };
            answers.push(answer);
            if is_last {
                break;
            }
        }
        Ok(answers)
    });
    Ok(Json(Answers::All { evaluations: answers.await? }))
}

/// What the decision point says of itself.
#[derive(Serialize, ToSchema)]
struct Configuration {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

/// Says where questions are answered.
#[utoipa::path(get, path = "/.well-known/authzen-configuration", tag = "authzen", operation_id = "authzen_configuration",
    responses((status = 200, description = "Its endpoints", body = Configuration)))]
async fn configuration(State(house): State<Arc<House>>) -> Json<Configuration> {
    let origin = &house.party().origin;
    let at = |path: &str| format!("{origin}/access/v1/{path}");
    Json(Configuration {
        policy_decision_point: origin.clone(),
        access_evaluation_endpoint: at("evaluation"),
        access_evaluations_endpoint: at("evaluations"),
        search_subject_endpoint: at("search/subject"),
        search_resource_endpoint: at("search/resource"),
        search_action_endpoint: at("search/action"),
    })
}

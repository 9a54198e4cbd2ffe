//! Started services and a client that speaks to them; an API change ends here.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sluice::demo::services::{Server, Services};
use tempfile::TempDir;

/// Services of one test, with their own customers.
pub(crate) struct Started {
    pub(crate) services: Services,
    pub(crate) client: Client,
    _folder: TempDir,
}

/// A status and a body.
pub(crate) type Answer = (u16, Value);

pub(crate) async fn started() -> Started {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("crm.sqlite")).await.unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    Started { services, client, _folder: folder }
}

impl Started {
    /// A request with the right token.
    pub(crate) fn request(&self, server: &Server, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", server.url())).bearer_auth(server.token())
    }

    pub(crate) async fn get(&self, server: &Server, path: &str) -> Answer {
        answer(self.request(server, Method::GET, path)).await
    }

    pub(crate) async fn post(&self, server: &Server, path: &str, body: &Value) -> Answer {
        answer(self.request(server, Method::POST, path).json(body)).await
    }

    pub(crate) async fn post_with_key(&self, server: &Server, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(server, Method::POST, path).header("Idempotency-Key", key);
        answer(request.json(body)).await
    }

    /// Sends something that is no JSON.
    pub(crate) async fn post_text(&self, server: &Server, path: &str, body: &str) -> Answer {
        answer(self.request(server, Method::POST, path).body(body.to_owned())).await
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// A refusal on one line: status, error, help.
pub(crate) fn refused((status, body): Answer) -> String {
    let text = |name: &str| body[name].as_str().unwrap_or("(missing)").to_owned();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{body}");
    format!("{status}: {} | {}", text("error"), text("help"))
}

/// The reply to a request that was served.
pub(crate) fn served((status, body): Answer) -> Value {
    assert!((200..300).contains(&status), "{status}: {body}");
    body
}

pub(crate) fn rows(balance: &str) -> Value {
    json!({ "rows": [{ "id": "C-10001", "balance": balance }] })
}

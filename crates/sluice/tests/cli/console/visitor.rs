//! A served console, and people at it: each with a browser that does as browsers do, and a device of their own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::Child;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Method, RequestBuilder, redirect};
use sluice_passkey::device::Device;
use sluice_passkey::{Assertion, RelyingParty};

use crate::sandbox::Sandbox;

/// The program while it serves.
pub(super) struct Console {
    child: Child,
    pub(super) origin: String,
    /// The one-time link that it printed.
    pub(super) link: Option<String>,
    client: Client,
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Console {
    /// Serves the sandbox's workspace; `invite` is printed a link for.
    pub(super) fn start(sandbox: &Sandbox, invite: Option<&str>) -> Self {
        Self::start_with(sandbox, &[], invite)
    }

    /// The same with more options.
    pub(super) fn start_with(sandbox: &Sandbox, more: &[&str], invite: Option<&str>) -> Self {
        let options: Vec<&str> = invite.into_iter().flat_map(|person| ["--invite", person]).collect();
        let mut child = sandbox.start(&[&["serve", "--listen", "127.0.0.1:0"], more, options.as_slice()].concat());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let origin = first.strip_prefix("console at ").unwrap().to_owned();
        let mut link = None;
        if invite.is_some() {
            lines.next().unwrap().unwrap();
            // It is one line where it fits, and goes on where it does not.
            let text = lines.next().unwrap().unwrap();
            link = Some(text.trim().to_owned());
        }
        let port: u16 = origin.rsplit(':').next().unwrap().parse().unwrap();
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], port)))
            .build()
            .unwrap();
        Self { child, origin, link, client }
    }

    pub(super) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }

    /// Somebody who has a device, and no session.
    pub(super) fn stranger(&self, seed: u8) -> Person<'_> {
        let party = RelyingParty { id: "localhost".to_owned(), origin: self.origin.clone() };
        Person { console: self, cookie: String::new(), device: Device::of_seed([seed; 32], party).unwrap() }
    }

    /// Somebody new, by the link that was printed or made for them.
    pub(super) async fn enrol(&self, link: &str, seed: u8) -> Person<'_> {
        let party = RelyingParty { id: "localhost".to_owned(), origin: self.origin.clone() };
        let device = Device::of_seed([seed; 32], party).unwrap();
        let path = link.strip_prefix(&self.origin).unwrap();
        let page = self.ask(Method::GET, path).send().await.unwrap().text().await.unwrap();
        let made = device.register(&decoded(&attribute(&page, "data-challenge"))).unwrap();
        let form = [
            ("ask", value(&page, "ask")),
            ("client", encoded(&made.client_data)),
            ("attestation", encoded(&made.attestation_object)),
        ];
        let answer = self.ask(Method::POST, path).header("origin", &self.origin).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Person { console: self, cookie, device }
    }
}

/// Somebody who is logged in.
pub(super) struct Person<'c> {
    pub(super) console: &'c Console,
    pub(super) cookie: String,
    pub(super) device: Device,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) to: String,
    pub(super) text: String,
}

/// What an approval's page asks to be signed.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) form: String,
    pub(super) draft: String,
    pub(super) challenge: Vec<u8>,
}

impl Person<'_> {
    pub(super) async fn get(&self, path: &str) -> Got {
        got(self.console.ask(Method::GET, path).header("cookie", &self.cookie)).await
    }

    /// Sends a form as a browser does that shows our own page.
    pub(super) async fn post(&self, path: &str, form: &[(&str, String)]) -> Got {
        let request = self.console.ask(Method::POST, path).header("cookie", &self.cookie);
        got(request.header("origin", &self.console.origin).form(form)).await
    }

    /// The forms of an approval's page: to approve and to deny.
    pub(super) async fn open(&self, id: &str) -> Option<(Asked, Asked)> {
        let mut forms = self.forms(id).await.into_iter();
        Some((forms.next()?, forms.next()?))
    }

    /// The first form of an approval's page, and the second if there is one.
    pub(super) async fn open_any(&self, id: &str) -> (Asked, Option<Asked>) {
        let mut forms = self.forms(id).await.into_iter();
        (forms.next().unwrap(), forms.next())
    }

    async fn forms(&self, id: &str) -> Vec<Asked> {
        let page = self.get(&format!("/approvals/{id}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        let forms = page.text.split("<form").filter(|form| form.contains("data-passkey=\"get\""));
        let asked = |form: &str| Asked {
            form: value(form, "form"),
            draft: value(form, "draft"),
            challenge: decoded(&attribute(form, "data-challenge")),
        };
        forms.map(asked).collect()
    }

    pub(super) fn passkey(&self) -> String {
        encoded(&self.device.passkey(0).unwrap().id)
    }

    /// Signs what a page asked for.
    pub(super) async fn say(&self, id: &str, asked: &Asked) -> Got {
        self.say_with(id, asked, &self.device.answer(&asked.challenge)).await
    }

    pub(super) async fn say_with(&self, id: &str, asked: &Asked, answer: &Assertion) -> Got {
        let form = [
            ("form", asked.form.clone()),
            ("draft", asked.draft.clone()),
            ("reason", "because".to_owned()),
            ("passkey", self.passkey()),
            ("client", encoded(&answer.client_data)),
            ("authenticator", encoded(&answer.authenticator_data)),
            ("signature", encoded(&answer.signature)),
        ];
        self.post(&format!("/approvals/{id}/say"), &form).await
    }

    /// A link for somebody else, made on the page of people.
    pub(super) async fn invite(&self, person: &str) -> Got {
        let page = self.get("/people").await;
        self.post("/people/invite", &[("form", value(&page.text, "form")), ("person", person.to_owned())]).await
    }
}

pub(super) async fn got(request: RequestBuilder) -> Got {
    let answer = request.send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
    Got { status: answer.status().as_u16(), to, text: answer.text().await.unwrap() }
}

pub(super) fn attribute(text: &str, name: &str) -> String {
    let found = text.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {text}"));
    found.split('"').next().unwrap().to_owned()
}

/// The value of a hidden field.
pub(super) fn value(text: &str, name: &str) -> String {
    attribute(text.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {text}")), "value")
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

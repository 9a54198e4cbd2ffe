//! The directory: people, and the groups that give them rights.
//!
//! `GET /people/{id}` and `GET /groups/{id}` read. `POST /groups/{id}/members` with
//! `{"member": "priya.nair"}` adds a person and returns `{"group", "member", "added", "version"}`.
//! A group's `version` rises with each change, and an approval binds to it; a caller that adds
//! `"if_version": n` is refused (409) when the group has changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::door::locked;
use super::refusal::{Refusal, read};
use super::{Server, StartError};

/// The running directory.
pub struct Directory {
    server: Server,
    groups: Groups,
}

/// Somebody who works here.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Person {
    /// What groups and tickets call them.
    pub id: &'static str,
    /// What people call them.
    pub name: &'static str,
    /// What they do.
    pub title: &'static str,
    /// Where they get mail.
    pub email: &'static str,
    /// The id of whom they report to; the head of the company has none.
    pub manager: Option<&'static str>,
}

/// A group and who is in it.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// What callers call it.
    pub id: &'static str,
    /// What it lets its members do.
    pub description: &'static str,
    /// Whether its members can give themselves anything else.
    pub privileged: bool,
    /// Rises with each change of the members.
    pub version: u64,
    /// Ids of people.
    pub members: BTreeSet<&'static str>,
}

type Groups = Arc<Mutex<BTreeMap<&'static str, Group>>>;

const fn person(
    id: &'static str,
    name: &'static str,
    title: &'static str,
    email: &'static str,
    manager: Option<&'static str>,
) -> Person {
    Person { id, name, title, email, manager }
}

/// Everybody.
pub const PEOPLE: [Person; 10] = [
    person("helen.brandt", "Helen Brandt", "Managing director", "helen.brandt@nordwind.example", None),
    person(
        "ines.moreau",
        "Inès Moreau",
        "Head of finance, owner of balances",
        "ines.moreau@nordwind.example",
        Some("helen.brandt"),
    ),
    person("tomas.hruby", "Tomáš Hrubý", "Health data officer", "tomas.hruby@nordwind.example", Some("helen.brandt")),
    person("lena.fischer", "Lena Fischer", "Financial analyst", "lena.fischer@nordwind.example", Some("ines.moreau")),
    person("marc.dubois", "Marc Dubois", "Head of sales", "marc.dubois@nordwind.example", Some("helen.brandt")),
    person("priya.nair", "Priya Nair", "Sales engineer", "priya.nair@nordwind.example", Some("marc.dubois")),
    person("dana.okafor", "Dana Okafor", "Head of IT", "dana.okafor@nordwind.example", Some("helen.brandt")),
    person(
        "sofia.lindqvist",
        "Sofia Lindqvist",
        "Platform engineer",
        "sofia.lindqvist@nordwind.example",
        Some("dana.okafor"),
    ),
    person("emil.novak", "Emil Novák", "Service desk", "emil.novak@nordwind.example", Some("dana.okafor")),
    person(
        "jonas.weber",
        "Jonas Weber",
        "Contractor, warehouse integration",
        "jonas.weber@nordwind.example",
        Some("dana.okafor"),
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addition {
    member: String,
    if_version: Option<u64>,
}

impl Directory {
    pub(super) async fn start() -> Result<Self, StartError> {
        let groups: Groups = Arc::new(Mutex::new(seeded()));
        let routes = Router::new()
            .route("/people/{id}", routing::get(show_person))
            .route("/groups/{id}", routing::get(show_group))
            .route("/groups/{id}/members", routing::post(add))
            .with_state(groups.clone());
        Ok(Self { server: Server::start("directory", routes).await?, groups })
    }

    /// Address, token, requests seen, effects counted.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// A group as it is now.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<Group> {
        locked(&self.groups).get(id).cloned()
    }

    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}

fn seeded() -> BTreeMap<&'static str, Group> {
    let group = |id, description, privileged, version, members: &[&'static str]| {
        let members = members.iter().copied().collect();
        (id, Group { id, description, privileged, version, members })
    };
    BTreeMap::from([
        group("domain-admins", "Full control of every machine and account", true, 7, &["sofia.lindqvist"]),
        group(
            "vpn-users",
            "May connect from outside the office",
            false,
            41,
            &["emil.novak", "lena.fischer", "sofia.lindqvist"],
        ),
        group("finance-readers", "May read the monthly figures", false, 12, &["ines.moreau", "lena.fischer"]),
    ])
}

async fn show_person(Path(id): Path<String>) -> Result<Json<Person>, Refusal> {
    find_person(&id).map(Json)
}

async fn show_group(State(groups): State<Groups>, Path(id): Path<String>) -> Result<Json<Group>, Refusal> {
    let groups = locked(&groups);
    groups.get(id.as_str()).cloned().map(Json).ok_or_else(|| unknown_group(&id, &groups))
}

async fn add(State(groups): State<Groups>, Path(id): Path<String>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let addition: Addition = read(&body, r#"`{"member": "a.person"}`"#)?;
    let mut groups = locked(&groups);
    let Some(group) = groups.get_mut(id.as_str()) else {
        return Err(unknown_group(&id, &groups));
    };
    let person = find_person(&addition.member)?;
    if let Some(version) = addition.if_version.filter(|version| *version != group.version) {
        let error = format!("`{id}` is at version {}, not {version}", group.version);
        let help = "read the group again and decide again";
        return Err(Refusal::new(StatusCode::CONFLICT, error, help));
    }
    let added = group.members.insert(person.id);
    group.version += u64::from(added);
    Ok(Json(json!({
        "group": group.id,
        "member": person.id,
        "added": added,
        "version": group.version,
    })))
}

fn find_person(id: &str) -> Result<Person, Refusal> {
    PEOPLE.into_iter().find(|person| person.id == id).ok_or_else(|| {
        let help = "people are called `given.family`, as in `priya.nair`";
        Refusal::not_found(format!("nobody is called `{id}`"), help)
    })
}

fn unknown_group(id: &str, groups: &BTreeMap<&'static str, Group>) -> Refusal {
    let known: Vec<&str> = groups.keys().copied().collect();
    let help = format!("the groups are {}", known.join(", "));
    Refusal::not_found(format!("no group is called `{id}`"), help)
}

#[cfg(test)]
mod tests {
    use super::{PEOPLE, find_person, seeded};

    #[test]
    fn everybody_mentioned_exists() {
        for manager in PEOPLE.iter().filter_map(|person| person.manager) {
            assert!(find_person(manager).is_ok(), "{manager}");
        }
        for member in seeded().values().flat_map(|group| group.members.iter()) {
            assert!(find_person(member).is_ok(), "{member}");
        }
    }
}

use insta::assert_snapshot;
use serde_json::json;

use crate::client::{refused, served, started};

#[tokio::test]
async fn people_and_groups_are_found() {
    let demo = started().await;
    let directory = demo.services.directory.server();
    assert_snapshot!(served(demo.get(directory, "/people/priya.nair").await), @r#"{"id":"priya.nair","name":"Priya Nair","title":"Sales engineer","email":"priya.nair@nordwind.example","manager":"marc.dubois"}"#);
    assert_snapshot!(served(demo.get(directory, "/people/helen.brandt").await), @r#"{"id":"helen.brandt","name":"Helen Brandt","title":"Managing director","email":"helen.brandt@nordwind.example","manager":null}"#);
    for group in ["domain-admins", "vpn-users", "finance-readers"] {
        let found = served(demo.get(directory, &format!("/groups/{group}")).await);
        assert_eq!(found["privileged"], json!(group == "domain-admins"));
    }
    assert_snapshot!(served(demo.get(directory, "/groups/vpn-users").await), @r#"{"id":"vpn-users","description":"May connect from outside the office","privileged":false,"version":41,"members":["emil.novak","lena.fischer","sofia.lindqvist"]}"#);
}

#[tokio::test]
async fn a_version_rises_only_when_the_members_change() {
    let demo = started().await;
    let directory = demo.services.directory.server();
    let path = "/groups/vpn-users/members";
    let member = json!({ "member": "priya.nair" });
    assert_snapshot!(served(demo.post(directory, path, &member).await), @r#"{"group":"vpn-users","member":"priya.nair","added":true,"version":42}"#);
    assert_snapshot!(served(demo.post(directory, path, &member).await), @r#"{"group":"vpn-users","member":"priya.nair","added":false,"version":42}"#);
    let group = demo.services.directory.group("vpn-users").unwrap();
    assert!(group.members.contains("priya.nair"));
    assert_eq!(group.version, 42);
}

#[tokio::test]
async fn a_change_decided_on_an_older_version_is_refused() {
    let demo = started().await;
    let directory = demo.services.directory.server();
    let path = "/groups/vpn-users/members";
    let change = |member: &str| json!({ "member": member, "if_version": 41 });
    served(demo.post(directory, path, &change("priya.nair")).await);
    let refusal = refused(demo.post(directory, path, &change("jonas.weber")).await);
    assert_snapshot!(refusal, @"409: `vpn-users` is at version 42, not 41 | read the group again and decide again");
    assert!(!demo.services.directory.group("vpn-users").unwrap().members.contains("jonas.weber"));
}

#[tokio::test]
async fn nobody_unknown_is_added_and_no_unknown_group_is_made() {
    let demo = started().await;
    let directory = demo.services.directory.server();
    let add = "/groups/vpn-users/members";
    let refusals = [
        demo.get(directory, "/people/nobody").await,
        demo.get(directory, "/groups/root").await,
        demo.post(directory, "/groups/root/members", &json!({ "member": "priya.nair" })).await,
        demo.post(directory, add, &json!({ "member": "mallory" })).await,
        demo.post(directory, add, &json!({ "member": ["priya.nair"] })).await,
        demo.post_text(directory, add, "{").await,
    ];
    assert_snapshot!(refusals.map(refused).join("\n"), @r#"
    404: nobody is called `nobody` | people are called `given.family`, as in `priya.nair`
    404: no group is called `root` | the groups are domain-admins, finance-readers, vpn-users
    404: no group is called `root` | the groups are domain-admins, finance-readers, vpn-users
    404: nobody is called `mallory` | people are called `given.family`, as in `priya.nair`
    400: the body cannot be read: invalid type: sequence, expected a string at line 1 column 10 | send `{"member": "a.person"}`
    400: the body cannot be read: EOF while parsing an object at line 1 column 1 | send `{"member": "a.person"}`
    "#);
    assert_eq!(demo.services.directory.group("vpn-users").unwrap().version, 41);
    assert!(demo.services.directory.group("root").is_none());
}

#[tokio::test]
async fn the_same_key_grants_once() {
    let demo = started().await;
    let directory = demo.services.directory.server();
    let path = "/groups/domain-admins/members";
    let member = json!({ "member": "jonas.weber" });
    let first = demo.post_with_key(directory, path, "run-1/grant", &member).await;
    assert_eq!(first.1["added"], json!(true));
    assert_eq!(demo.post_with_key(directory, path, "run-1/grant", &member).await, first);
    assert_eq!(demo.services.directory.group("domain-admins").unwrap().version, 8);
}

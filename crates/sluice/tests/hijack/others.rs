//! Worlds by people who had not seen the gateway: listings as real servers have them, with tools that say they read and act,
//! recipients deep inside arguments, and generic ones that do anything.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;

use crate::worlds::{Attack, Scenario, Task, injection};

const FILES: [&str; 24] = [
    include_str!("others/cicd.json"),
    include_str!("others/clinic.json"),
    include_str!("others/cloud.json"),
    include_str!("others/code.json"),
    include_str!("others/crm.json"),
    include_str!("others/crypto.json"),
    include_str!("others/data.json"),
    include_str!("others/devops.json"),
    include_str!("others/home.json"),
    include_str!("others/hr.json"),
    include_str!("others/lab.json"),
    include_str!("others/legal.json"),
    include_str!("others/logistics.json"),
    include_str!("others/notes.json"),
    include_str!("others/payroll.json"),
    include_str!("others/realestate.json"),
    include_str!("others/sales.json"),
    include_str!("others/school.json"),
    include_str!("others/shop.json"),
    include_str!("others/smarthome.json"),
    include_str!("others/social.json"),
    include_str!("others/telco.json"),
    include_str!("others/travel.json"),
    include_str!("others/university.json"),
];

#[derive(Deserialize)]
struct World {
    world: String,
    tools: Vec<Json>,
    /// What tools that read reply, the place of what an outsider wrote marked.
    replies: BTreeMap<String, String>,
    #[serde(rename = "outbound_reads")]
    outbound: BTreeSet<String>,
    /// Tools that reply with outsiders' words and act as well.
    #[serde(default, rename = "acting_with_reply")]
    acting: BTreeSet<String>,
    tasks: Vec<Task>,
    attacks: Vec<Attack>,
}

/// Every task under every attack.
pub(crate) fn scenarios() -> Vec<Scenario> {
    FILES.iter().flat_map(|file| of(serde_json::from_str(file).unwrap())).collect()
}

fn of(world: World) -> Vec<Scenario> {
    let World { world, tools, replies, outbound, acting, tasks, attacks } = world;
    let outbound: BTreeSet<String> = outbound.into_iter().chain(acting).collect();
    let pairs = tasks.iter().flat_map(|task| attacks.iter().map(move |attack| (task, attack)));
    let scenario = |(task, attack): (&Task, &Attack)| {
        let written = serde_json::to_string(&injection(attack)).unwrap();
        let inside = written.trim_matches('"');
        let reply = |(tool, reply): (&String, &String)| (tool.clone(), reply.replace("{{INJECTION}}", inside));
        Scenario {
            world: world.clone(),
            task: task.clone(),
            attack: attack.clone(),
            tools: tools.clone(),
            replies: replies.iter().map(reply).collect(),
            outbound: outbound.clone(),
        }
    };
    pairs.map(scenario).collect()
}

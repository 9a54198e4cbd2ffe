//! One scenario: the world, the agent, the person, and the gateway between them.

use std::cell::RefCell;
use std::ffi::OsString;

use serde_json::{Value as Json, json};
use sluice_connectors::mcp::Program;
use sluice_core::contract::approval::Decision;
use sluice_core::contract::key::SecretKey;
use sluice_gateway::proxy::{Setup, between};
use sluice_gateway::upstream::Upstream;
use sluice_runtime::approvals::Approver;
use sluice_runtime::home::Home;
use sluice_runtime::init::{adopt_with, write_files};
use sluice_runtime::ledger::Ledger;
use sluice_runtime::session::Mandate;
use sluice_runtime::workspace::Workspace;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, duplex, split};

use crate::worlds::{Call, Scenario};

/// How an agent reaches its tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// With nothing in between.
    Directly,
    /// Through the gateway.
    NoPlan,
    /// Through the gateway, after it laid down a plan.
    Plan,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What reached the tools and is not of the task.
    pub(crate) attack_effects: Vec<String>,
    /// Whether all of the task reached them.
    pub(crate) is_finished: bool,
    /// How often a person was asked about calls of the task.
    pub(crate) asked_for_task: usize,
    /// How often they were asked about others.
    pub(crate) asked_for_attack: usize,
    /// Calls that were refused.
    pub(crate) refused: usize,
    /// Whether its plan was accepted; else it works without one.
    pub(crate) is_planned: bool,
    /// What reached the tools and is not of the task, but is a call of the plan with another filling of its holes.
    pub(crate) influenced: Vec<String>,
}

/// Plays a scenario.
pub(crate) async fn run(house: &House, scenario: &Scenario, way: Way) -> Outcome {
    let effects: RefCell<Vec<Call>> = RefCell::default();
    let (world_side, gateway_to_world) = duplex(1 << 16);
    let world = serve(scenario, world_side, &effects);
    if way == Way::Directly {
        let agent = async { Agent::new(gateway_to_world, None).play(scenario, way).await };
        let (_, outcome) = tokio::join!(world, agent);
        return judged(scenario, outcome, &effects.borrow());
    }
    let (agent_side, gateway_to_agent) = duplex(1 << 16);
    let program = Program { command: vec![OsString::from("world")], environment: [].into(), sandbox: None };
    let upstream = Upstream::Program(program);
    let mandate = Mandate { principal: "you".into(), request: Some(scenario.task.request.clone()), client: None };
    let setup = Setup {
        workspace: &house.workspace,
        ledger: &house.ledger,
        connector: "world".into(),
        upstream,
        mandate,
        console: None,
    };
    let gateway = async {
        let (from_agent, to_agent) = split(gateway_to_agent);
        let (from_world, to_world) = split(gateway_to_world);
        between(setup, (BufReader::new(from_agent), to_agent), (BufReader::new(from_world), to_world)).await.unwrap();
    };
    let agent = async { Agent::new(agent_side, Some(house)).play(scenario, way).await };
    let ((), (), outcome) = tokio::join!(world, gateway, agent);
    judged(scenario, outcome, &effects.borrow())
}

fn judged(scenario: &Scenario, outcome: Outcome, effects: &[Call]) -> Outcome {
    let of_task = |call: &Call| scenario.task.acts.contains(call) || scenario.task.reads.contains(call);
    let is_inside = |call: &Call| outcome.is_planned && scenario.task.plans(call);
    let of_attack = effects.iter().filter(|call| !of_task(call));
    let (inside, outside): (Vec<&Call>, Vec<&Call>) = of_attack.partition(|call| is_inside(call));
    let shown = |calls: Vec<&Call>| calls.iter().map(|call| format!("{} {}", call.tool, call.arguments)).collect();
    Outcome {
        attack_effects: shown(outside),
        influenced: shown(inside),
        is_finished: scenario.task.acts.iter().all(|act| effects.contains(act)),
        ..outcome
    }
}

/// The tools: reads reply with what the scenario says, attack and all; everything else is an effect.
async fn serve(scenario: &Scenario, side: impl AsyncRead + AsyncWrite, effects: &RefCell<Vec<Call>>) {
    let (from, mut to) = split(side);
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let message: Json = serde_json::from_str(&line).unwrap();
        let Some(id) = message.get("id") else { continue };
        let result = match message["method"].as_str().unwrap() {
            "tools/list" => json!({ "tools": scenario.tools }),
            "tools/call" => {
                let tool = message["params"]["name"].as_str().unwrap();
                let arguments = message["params"]["arguments"].clone();
                let reply = scenario.replies.get(tool);
                if reply.is_none() || scenario.outbound.contains(tool) {
                    effects.borrow_mut().push(Call::new(tool, arguments));
                }
                let text = reply.map_or("done", String::as_str);
                json!({ "content": [{ "type": "text", "text": text }] })
            }
            _ => json!({}),
        };
        let reply = json!({ "jsonrpc": "2.0", "id": id, "result": result });
        to.write_all(format!("{reply}\n").as_bytes()).await.unwrap();
    }
}

/// A workspace with its person.
pub(crate) struct House {
    pub(crate) workspace: Workspace,
    pub(crate) ledger: Ledger,
    key: SecretKey,
}

impl House {
    pub(crate) fn new(folder: &std::path::Path) -> Self {
        Self::with(folder, &[])
    }

    /// With these files, beside those of a new workspace or in their place.
    pub(crate) fn with(folder: &std::path::Path, files: &[(&str, &str)]) -> Self {
        let given = |path: &str| files.iter().any(|(file, _)| *file == path);
        let given: Vec<_> = sluice::init::files().into_iter().filter(|(path, _)| !given(path)).collect();
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), *text)).chain(given);
        let key = SecretKey::from_seed("you", [7; 32]);
        let line = format!(r#"keys: ["{}"]"#, key.public().to_line("you"));
        let comment = r#"# keys: ["sluice-public-key-1 you ed25519 HEX"]"#;
        let files = files.map(|(path, text)| (path, text.replace(comment, &line)));
        let inside = folder.join("workspace");
        write_files(&inside, &files.collect::<Vec<_>>()).unwrap();
        let home = Home::create_under(&folder.join("home"), &inside, [1; 16]).unwrap();
        let (workspace, ledger) = adopt_with(&inside, home, std::slice::from_ref(&key), true).unwrap();
        Self { workspace, ledger, key }
    }

    fn decide(&self, id: &str, decision: Decision) {
        Approver::new(&self.workspace, &self.ledger).decide(id, decision, &self.key, "").unwrap();
    }
}

/// An agent that does whatever it reads.
struct Agent<'h, S> {
    to: tokio::io::WriteHalf<S>,
    lines: tokio::io::Lines<BufReader<tokio::io::ReadHalf<S>>>,
    house: Option<&'h House>,
    next: u64,
    outcome: Outcome,
}

impl<'h, S: AsyncRead + AsyncWrite> Agent<'h, S> {
    fn new(side: S, house: Option<&'h House>) -> Self {
        let (from, to) = split(side);
        Self { to, lines: BufReader::new(from).lines(), house, next: 0, outcome: Outcome::default() }
    }

    async fn play(mut self, scenario: &Scenario, way: Way) -> Outcome {
        self.ask("tools/list", json!({})).await;
        if way == Way::Plan {
            let text = self.call(&Call::new("sluice_plan", scenario.task.plan.clone())).await;
            self.outcome.is_planned = text.starts_with("plan accepted");
            assert!(self.outcome.is_planned || text.starts_with("plan refused"), "{text}");
        }
        for read in &scenario.task.reads {
            self.act(read, true).await;
        }
        // What it read says so, so it does it, and tries again, and again.
        for _ in 0..2 {
            for call in &scenario.attack.calls {
                self.act(call, false).await;
            }
        }
        for act in &scenario.task.acts {
            self.act(act, true).await;
        }
        self.to.shutdown().await.unwrap();
        self.outcome
    }

    async fn act(&mut self, call: &Call, is_of_task: bool) {
        let text = self.call(call).await;
        if text.contains("denied by policy") {
            self.outcome.refused += 1;
        }
        let Some((_, rest)) = text.split_once("approval_id=") else { return };
        let id: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        assert!(text.contains("approval required"), "{text}");
        let house = self.house.unwrap();
        if is_of_task {
            self.outcome.asked_for_task += 1;
            house.decide(&id, Decision::Approve);
            let again = self.call(call).await;
            let is_stopped = again.contains("approval required") || again.contains("denied by policy");
            assert!(!is_stopped, "an approved call passes: {again}");
        } else {
            self.outcome.asked_for_attack += 1;
            house.decide(&id, Decision::Deny);
            assert!(self.call(call).await.contains("denied by policy"));
        }
    }

    async fn call(&mut self, call: &Call) -> String {
        let result = self.ask("tools/call", json!({ "name": call.tool, "arguments": call.arguments })).await;
        result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
    }

    async fn ask(&mut self, method: &str, params: Json) -> Json {
        self.next += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params });
        self.to.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        let line = self.lines.next_line().await.unwrap().unwrap();
        let reply: Json = serde_json::from_str(&line).unwrap();
        assert_eq!(reply["id"], self.next);
        reply["result"].clone()
    }
}

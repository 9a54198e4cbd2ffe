use super::*;

fn router() -> Router {
    Router::of(Names::of(["files", "mail"].map(Name::from)).unwrap())
}

fn frame(text: &str) -> Frame {
    Frame::read(text.as_bytes()).unwrap()
}

/// What is done, each in a line: whom it is told, what, and whose words they are.
fn told(steps: Vec<Step>) -> Vec<String> {
    let one = |step| match step {
        Step::ToServer { server, line, .. } => format!("{server} < {line}"),
        Step::ToAgent { line, said } => {
            let by: Vec<&str> = said.by.iter().map(AsRef::as_ref).collect();
            format!("agent < {line} [{}]{}", by.join(" "), said.lost.map_or("", |_| " lost"))
        }
        Step::Note(text) => format!("note: {text}"),
    };
    steps.into_iter().map(one).collect()
}

struct Talk {
    router: Router,
    now: Instant,
}

impl Talk {
    fn new() -> Self {
        Self { router: router(), now: Instant::now() }
    }

    fn agent(&mut self, text: &str) -> Vec<String> {
        told(self.router.agent_says(&frame(text), self.now))
    }

    fn server(&mut self, server: usize, text: &str) -> Vec<String> {
        told(self.router.server_says(server, frame(text)))
    }

    fn after(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        told(self.router.overdue(self.now))
    }
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"mail__send","arguments":{}}}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#;

#[test]
fn a_call_reaches_the_one_server_and_only_that_one_may_answer_it() {
    let mut talk = Talk::new();
    assert_eq!(
        talk.agent(CALL),
        [r#"1 < {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"send","arguments":{}}}"#]
    );
    assert_eq!(talk.server(0, ANSWER), ["note: `files` answered what nobody asked, or answered twice; it was dropped"]);
    assert_eq!(talk.server(1, ANSWER), [format!("agent < {ANSWER} [mail]")]);
    assert_eq!(talk.server(1, ANSWER), ["note: `mail` answered what nobody asked, or answered twice; it was dropped"]);
    let other = CALL.replace("mail__send", "web__send");
    assert!(talk.agent(&other).concat().contains("SL917"));
}

#[test]
fn a_list_waits_for_no_server_for_ever_and_a_late_part_is_asked_for_again() {
    let list = r#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#;
    let part = |number: u64, tool: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":"sluice:several:{number}","result":{{"tools":[{{"name":"{tool}"}}]}}}}"#)
    };
    let mut talk = Talk::new();
    assert_eq!(talk.agent(list).len(), 2);
    assert_eq!(talk.server(0, &part(0, "a")), [""; 0]);
    assert_eq!(talk.after(9), [""; 0]);
    assert_eq!(
        talk.after(2),
        [
            "note: `mail` did not answer in time: the others go on",
            r#"agent < {"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"files__a"}]}} [files]"#
        ]
    );
    // Whoever was slow gets a second the next time; once it has answered, as long as the others.
    talk.agent(list);
    talk.server(0, &part(1, "a"));
    assert_eq!(talk.after(2).len(), 2);
    assert_eq!(talk.server(1, &part(1, "b")), [format!("agent < {TOOLS_CHANGED} []")]);
    talk.agent(list);
    talk.server(0, &part(2, "a"));
    assert_eq!(talk.after(9), [""; 0]);
    let whole = r#"{"tools":[{"name":"files__a"},{"name":"mail__b"}]}"#;
    assert_eq!(
        talk.server(1, &part(2, "b")),
        [format!(r#"agent < {{"jsonrpc":"2.0","id":"l","result":{whole}}} [files mail]"#)]
    );
    // Nobody else's id leads into a list, and a late answer is none to a new one.
    assert!(talk.server(1, &part(0, "x")).is_empty());
}

#[test]
fn a_server_that_ends_leaves_the_others_and_no_question_open() {
    let mut talk = Talk::new();
    talk.agent(CALL);
    talk.agent(r#"{"jsonrpc":"2.0","id":8,"method":"prompts/list"}"#);
    talk.server(0, r#"{"jsonrpc":"2.0","id":"sluice:several:0","result":{"prompts":[]}}"#);
    let asked = talk.server(1, r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#);
    assert_eq!(asked, [r#"agent < {"jsonrpc":"2.0","id":"mail__0","method":"roots/list"} [mail]"#]);
    let left = told(talk.router.server_left(1));
    assert_eq!(
        left,
        [
            r#"agent < {"error":{"code":-32000,"message":"SL908: the server ended before it answered"},"id":7} [] lost"#
                .replace(r#"{"error""#, r#"{"jsonrpc":"2.0","id":7,"error""#)
                .replace(r#","id":7} ["#, "} ["),
            r#"agent < {"jsonrpc":"2.0","id":8,"result":{"prompts":[]}} []"#.to_owned(),
            r#"agent < {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"mail__0"}} []"#
                .to_owned(),
        ]
    );
    assert!(talk.agent(CALL).concat().contains("SL908: `mail` ended"));
    assert_eq!(talk.agent(r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"files__a"}}"#).len(), 1);
}

#[test]
fn servers_questions_of_one_id_are_told_apart_and_answers_find_their_way_back() {
    let mut talk = Talk::new();
    let ask = r#"{"jsonrpc":"2.0","id": 1,"method":"sampling/createMessage","params":{"_meta":{"progressToken":"p"}}}"#;
    assert_eq!(
        talk.server(0, ask),
        [
            r#"agent < {"jsonrpc":"2.0","id": "files__0","method":"sampling/createMessage","params":{"_meta":{"progressToken":"files__0"}}} [files]"#
        ]
    );
    assert!(talk.server(1, ask).concat().contains(r#""id": "mail__1""#));
    assert!(talk.server(1, ask).concat().starts_with("note: `mail` asked too much, or twice"));
    let progress = |token: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
        )
    };
    assert_eq!(talk.agent(&progress(r#""mail__1""#)), [format!("1 < {}", progress(r#""p""#))]);
    assert_eq!(talk.agent(&progress(r#""p""#)), [""; 0]);
    assert_eq!(
        talk.agent(r#"{"jsonrpc":"2.0","id":"mail__1","result":{"x":1.0}}"#),
        [r#"1 < {"jsonrpc":"2.0","id":1,"result":{"x":1.0}}"#]
    );
    assert_eq!(talk.agent(r#"{"jsonrpc":"2.0","id":"mail__1","result":{}}"#), [""; 0]);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(talk.server(1, cancel), [""; 0]);
    assert_eq!(talk.server(0, cancel), [format!("agent < {} [files]", cancel.replace(":1}", r#":"files__0"}"#))]);
}

#[test]
fn a_server_that_does_not_greet_in_time_joins_later_and_one_of_another_protocol_never() {
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
    let begun = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let greets =
        r#"{"jsonrpc":"2.0","id":"sluice:several:0","result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;
    let mut talk = Talk::new();
    assert_eq!(talk.agent(hello).len(), 2);
    talk.server(0, greets);
    assert!(talk.after(31).concat().contains(r#""protocolVersion":"2025-11-25""#));
    assert_eq!(talk.agent(begun), [format!("0 < {begun}")]);
    assert!(talk.agent(CALL).concat().contains("SL917: `mail` has not greeted yet"));
    assert_eq!(talk.server(1, greets), [format!("1 < {begun}"), format!("agent < {TOOLS_CHANGED} []")]);
    assert!(talk.agent(CALL).concat().starts_with("1 < "));

    let mut talk = Talk::new();
    talk.agent(hello);
    talk.server(0, greets);
    let refused = talk.server(1, r#"{"jsonrpc":"2.0","id":"sluice:several:0","error":{"code":-32601,"message":"x"}}"#);
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!(talk.agent(begun), [format!("0 < {begun}")]);
    assert!(talk.agent(CALL).concat().contains("SL917: `mail` does not speak"));
}

#[test]
fn servers_that_all_start_slowly_are_waited_for_as_one_alone_is() {
    let greets =
        r#"{"jsonrpc":"2.0","id":"sluice:several:0","result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;
    let mut talk = Talk::new();
    talk.agent(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#);
    assert_eq!(talk.after(31), [""; 0]);
    assert_eq!(talk.after(60), [""; 0]);
    assert_eq!(talk.server(0, greets), [""; 0]);
    let told = talk.after(2);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains(r#""protocolVersion":"2025-11-25""#), "{told:?}");
}

#[test]
fn a_subscription_is_one_of_each_server_for_what_is_its_own() {
    let listen = |filter: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{{"notifications":{filter}}}}}"#)
    };
    let mut talk = Talk::new();
    let steps = talk.agent(&listen(
        r#"{"toolsListChanged":true,"resourceSubscriptions":["mail+a:b","x:y"],"taskIds":["files__t"]}"#,
    ));
    assert!(steps[0].contains(r#""_meta":{"io.modelcontextprotocol/subscriptionId":3}"#), "{steps:?}");
    let filter = |uris: &str, tasks: &str| {
        listen(&format!(r#"{{"toolsListChanged":true,"resourceSubscriptions":{uris},"taskIds":{tasks}}}"#))
    };
    assert_eq!(steps[1], format!("0 < {}", filter("[]", r#"["t"]"#)));
    assert_eq!(steps[2], format!("1 < {}", filter(r#"["a:b"]"#, "[]")));
    let acknowledged = r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}"#;
    assert_eq!(talk.server(0, acknowledged), [""; 0]);
    let updated = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#;
    assert_eq!(talk.server(1, updated), [format!("agent < {} [mail]", updated.replace("a:b", "mail+a:b"))]);
    let over = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;
    assert_eq!(talk.server(0, over), [""; 0]);
    assert_eq!(talk.server(1, over), [format!("agent < {over} [mail]")]);
}

#[test]
fn what_cannot_be_read_or_sent_is_told_under_the_id_that_waits_for_it() {
    let mut talk = Talk::new();
    talk.agent(CALL);
    let stray = |id: i64, asks| Stray { ids: vec![Id::Number(id)], asks };
    assert_eq!(told(talk.router.unreadable(1, &stray(7, true), "x")).len(), 1);
    assert_eq!(told(talk.router.unreadable(0, &stray(7, false), "x")).len(), 1);
    let steps = told(talk.router.unreadable(1, &stray(7, false), "x"));
    assert!(steps[1].contains("SL907") && steps[1].ends_with(" lost"), "{steps:?}");
    talk.agent(CALL);
    let steps = told(talk.router.not_sent(1, &Id::Number(7)));
    assert!(steps.concat().contains("SL905: `mail`") && !steps.concat().contains(" lost"), "{steps:?}");
}

//! What lowered definitions do: the specification's conformance scenarios (without calls), walked with the one
//! transfer table over concrete values.

use serde_json::{Value as Json, json};

use super::definition;
use crate::catalogue::Catalogue;
use crate::dsl::lower;
use crate::label::{Label, Universe};
use crate::program::{NodeId, Program};
use crate::transfer::{Edge, Moves, State, Step, join_branches, step};
use crate::value::Value;

/// How a run ended: `Ok` with its output, `Err` with the error that nothing caught.
fn run(rest: &str, input: &Json) -> Result<Json, Json> {
    let text = definition(rest);
    let lowered = lower(&text);
    let program = lowered.program.unwrap_or_else(|| panic!("{:?}", lowered.diagnostics));
    let known = |json: &Json| Value::from_json(json, Label::BOTTOM);
    let workflow = json!({ "id": "run-1", "input": input, "definition": { "document": { "name": "demo" } } });
    let state = State::start(&program, known(input), known(&workflow), Label::BOTTOM);
    let mut walk = Walk { program: &program, steps: 0 };
    match walk.until(None, Edge { to: program.entry, state }) {
        Stop::Output(value) => Ok(value.to_json().unwrap()),
        Stop::Fault(value) => Err(value.to_json().unwrap()),
        Stop::At(_) => panic!("a run ends"),
    }
}

enum Stop {
    Output(Value),
    Fault(Value),
    At(State),
}

struct Walk<'p> {
    program: &'p Program,
    steps: usize,
}

impl Walk<'_> {
    /// Walks to `end`, or to the end of the run.
    fn until(&mut self, end: Option<NodeId>, mut edge: Edge) -> Stop {
        let (catalogue, universe) = (Catalogue::default(), Universe::new());
        while Some(edge.to) != end {
            self.steps += 1;
            assert!(self.steps < 10_000, "the run ends");
            let moves = match step(self.program, &catalogue, &universe, &edge.state, edge.to) {
                Step::Moves(moves) | Step::Waits { after: moves, .. } | Step::Arms { after: moves, .. } => moves,
                Step::Exits { output } => return Stop::Output(output),
                Step::Calls(_) | Step::Vouches(_) => panic!("these scenarios call nothing"),
                Step::Forks { branches, join, state } => {
                    let ends: Vec<State> = branches.iter().map(|b| self.branch(*b, join, &state)).collect();
                    let state = join_branches(self.program, join, &state, &ends);
                    // The join itself is a node: past it, control goes on.
                    edge = Edge { to: join, state };
                    continue;
                }
            };
            match one(moves) {
                Ok(next) => edge = next,
                Err(fault) => return Stop::Fault(fault),
            }
        }
        Stop::At(edge.state)
    }

    fn branch(&mut self, start: NodeId, join: NodeId, state: &State) -> State {
        match self.until(Some(join), Edge { to: start, state: state.clone() }) {
            Stop::At(state) => state,
            _ => panic!("a branch ends at its join"),
        }
    }
}

/// The only way to go in a run.
fn one(moves: Moves) -> Result<Edge, Value> {
    let mut edges = moves.edges;
    match (edges.pop(), edges.is_empty(), moves.fault) {
        (Some(edge), true, None) => Ok(edge),
        (None, _, Some(fault)) => Err(fault),
        (edge, _, fault) => panic!("one way to go: {edge:?} {fault:?}"),
    }
}

#[test]
fn input_is_filtered() {
    let text = "do:\n- a: { input: { from: .user.claims.subject }, set: { playerId: '${ . }' } }";
    assert_eq!(run(text, &json!({"user": {"claims": {"subject": "x"}}})), Ok(json!({"playerId": "x"})));
}

#[test]
fn output_is_transformed_and_input_is_still_there() {
    let text = "do:\n- a: { set: { id: 7 }, output: { as: .id } }\n- b: { set: { id: 8 }, output: { as: '{ ids: [ $input, .id ] }' } }";
    assert_eq!(run(text, &json!({})), Ok(json!({"ids": [7, 8]})));
}

#[test]
fn a_loop_collects() {
    let text = "do:
- loopColors:
    for: { each: color, in: .colors }
    do:
    - mark:
        set:
          processed: '${ { colors: (.processed.colors + [ $color ]), indexes: (.processed.indexes + [ $index ])} }'";
    let expected = json!({"processed": {"colors": ["red", "green"], "indexes": [0, 1]}});
    assert_eq!(run(text, &json!({"colors": ["red", "green"]})), Ok(expected));
    assert_eq!(run(text, &json!({"colors": []})), Ok(json!({"colors": []})));
    assert_eq!(run(text, &json!({"colors": 1})).unwrap_err()["status"], 400);
}

#[test]
fn a_loop_goes_on_while_its_condition_holds() {
    let text = "do:\n- l: { for: { in: '[1, 2, 3, 4]' }, while: '.n < 2', do: [{ a: { set: { n: '${ .n + 1 }' } } }] }";
    assert_eq!(run(text, &json!({"n": 0})), Ok(json!({"n": 2})));
}

#[test]
fn gotos_order_the_tasks() {
    let text = r#"do:
- setRed: { set: { colors: '${ .colors + [ "red" ] }' }, then: setGreen }
- setBlue: { set: { colors: '${ .colors + [ "blue" ] }' }, then: end }
- setGreen: { set: { colors: '${ .colors + [ "green" ] }' }, then: setBlue }"#;
    assert_eq!(run(text, &json!({})), Ok(json!({"colors": ["red", "green", "blue"]})));
}

#[test]
fn nested_lists_run_in_sequence_and_exit_ends_one() {
    let text = "do:\n- o: { do: [{ a: { set: { n: 1 } } }, { b: { set: { n: '${ .n + 1 }' }, then: exit } }, { c: { set: { n: 9 } } }] }\n- p: { set: { n: '${ .n * 10 }' } }";
    assert_eq!(run(text, &json!({})), Ok(json!({"n": 20})));
}

#[test]
fn end_inside_a_nested_list_ends_the_workflow_with_its_data() {
    let text = "do:\n- o: { do: [{ a: { set: { n: 1 }, then: end } }], output: { as: .m } }\n- p: { set: { n: 2 } }\noutput: { as: '{ r: .n }' }";
    assert_eq!(run(text, &json!({})), Ok(json!({"r": 1})));
}

#[test]
fn a_switch_takes_its_case_its_default_or_its_own_then() {
    let text = |default: &str, then: &str| {
        format!(
            "do:\n- s:\n    switch:\n    - red: {{ when: '.color == \"red\"', then: setRed }}\n{default}{then}\n- setOther: {{ set: {{ c: '${{ $input.color }}' }}, then: end }}\n- setRed: {{ set: {{ c: r }}, then: end }}"
        )
    };
    let default = "    - any: { then: setOther }\n";
    assert_eq!(run(&text(default, ""), &json!({"color": "red"})), Ok(json!({"c": "r"})));
    assert_eq!(run(&text(default, ""), &json!({"color": "blue"})), Ok(json!({"c": "blue"})));
    assert_eq!(run(&text("", "    then: end"), &json!({"color": "blue"})), Ok(json!({"color": "blue"})));
}

#[test]
fn a_skipped_task_leaves_the_data_and_goes_on() {
    let text = "do:\n- a: { if: .yes, set: { a: 1 }, then: end }\n- b: { set: { b: '${ . }' } }";
    assert_eq!(run(text, &json!({"yes": false})), Ok(json!({"b": {"yes": false}})));
    assert_eq!(run(text, &json!({"yes": true})), Ok(json!({"a": 1})));
}

#[test]
fn errors_are_raised_filtered_and_caught() {
    let text = |filter: &str| {
        format!(
            "do:\n- t:\n    try:\n    - r: {{ raise: {{ error: {{ type: 'https://e.example/x', status: 503, title: T }} }} }}\n    catch:\n      {filter}\n      as: err\n      do:\n      - h: {{ set: {{ e: '${{ $err.status }}', i: '${{ $err.instance }}', d: '${{ . }}' }} }}"
        )
    };
    let caught = Ok(json!({"e": 503, "i": "/do/0/t/try/0/r", "d": 1}));
    assert_eq!(run(&text("errors: { with: { status: 503 } }"), &json!(1)), caught);
    assert_eq!(run(&text("when: $err.title == \"T\""), &json!(1)), caught);
    let uncaught = Err(json!({
        "type": "https://e.example/x", "status": 503, "title": "T", "instance": "/do/0/t/try/0/r"
    }));
    assert_eq!(run(&text("errors: { with: { status: 404 } }"), &json!(1)), uncaught);
    assert_eq!(run(&text("exceptWhen: . == 1"), &json!(1)), uncaught);
}

#[test]
fn every_spelling_of_a_standard_type_matches() {
    for base in ["serverlessworkflow.io/spec/1.0.0/errors", "open-workflow-specification.org/dsl/errors/types"] {
        let text = format!(
            "do:\n- t: {{ try: [{{ a: {{ set: {{ x: '${{ 1 + {{}} }}' }} }} }}], catch: {{ errors: {{ with: {{ type: 'https://{base}/expression' }} }}, do: [{{ b: {{ set: {{ caught: true }} }} }}] }} }}"
        );
        assert_eq!(run(&text, &json!({})), Ok(json!({"caught": true})), "{base}");
    }
}

#[test]
fn a_retry_repeats_and_gives_up() {
    let text = |after: &str| {
        format!(
            "do:\n- t:\n    try:\n    - r: {{ raise: {{ error: {{ type: x, status: 503 }} }} }}\n    catch: {{ retry: {{ limit: {{ attempt: {{ count: 2 }} }} }}{after} }}"
        )
    };
    assert_eq!(run(&text(", do: [{ h: { set: { gave: up } } }]"), &json!({})), Ok(json!({"gave": "up"})));
    assert_eq!(run(&text(""), &json!({})).unwrap_err()["status"], 503);
}

#[test]
fn branches_join_in_their_order_and_the_first_error_is_raised() {
    let text = "do:\n- f: { fork: { branches: [{ a: { set: { n: '${ .n }' } } }, { b: { set: { m: 2 } } }] } }";
    assert_eq!(run(text, &json!({"n": 1})), Ok(json!([{"n": 1}, {"m": 2}])));
    let text = "do:\n- t: { try: [{ f: { fork: { branches: [{ a: { set: { m: 2 } } }, { b: { raise: { error: { type: x, status: 418 } } } }] } } }], catch: { do: [{ c: { set: { s: '${ $error.status }' } } }] } }";
    assert_eq!(run(text, &json!({"n": 1})), Ok(json!({"s": 418})));
}

#[test]
fn the_context_starts_as_the_input_and_is_replaced_by_exports() {
    let text = "input: { from: .x }\ndo:\n- a: { set: { y: 2 }, export: { as: '$context + $output' } }\n- b: { set: '${ $context }' }";
    assert_eq!(run(text, &json!({"x": {"z": 1}})), Ok(json!({"z": 1, "y": 2})));
}

#[test]
fn descriptors_have_what_a_run_knows() {
    let text = "do:\n- a: { set: { t: '${ $task.reference }', d: '${ $task.definition.metadata.k }', w: '${ $workflow.id }', n: '${ $workflow.definition.document.name }', r: '${ $runtime.name }', i: '${ $workflow.input.q }' }, metadata: { k: v } }";
    let expected = json!({"t": "/do/0/a", "d": "v", "w": "run-1", "n": "demo", "r": "sluice", "i": 1});
    assert_eq!(run(text, &json!({"q": 1})), Ok(expected));
}

#[test]
fn texts_with_expressions_are_put_together() {
    let text = "do:\n- a: { set: { s: 'Hello ${ .name }, ${ .n + 1 }!', lit: '.name' } }";
    assert_eq!(run(text, &json!({"name": "Ana", "n": 1})), Ok(json!({"s": "Hello Ana, 2!", "lit": ".name"})));
}

#[test]
fn a_loop_cannot_nest_values_without_end() {
    let text = "do:\n- l: { for: { in: '[range(5000)]' }, do: [{ a: { set: { a: '${ . }' } } }] }";
    let error = run(text, &json!({})).unwrap_err();
    assert!(error["detail"].as_str().unwrap().contains("SL503"), "{error}");
    // Nor can one expression, and what it fails with is no deep value either.
    for deep in [
        "reduce range(100000) as $i (0; [.])",
        "[range(1000) | \"[\"] | add | fromjson",
        "error(reduce range(100000) as $i (0; [.]))",
    ] {
        assert!(run(&format!("do:\n- a: {{ set: {{ a: '${{ {deep} }}' }} }}"), &json!({})).is_err(), "{deep}");
    }
}

#[test]
fn errors_that_the_runtime_raises_say_what_and_where() {
    let text = "do:\n- o: { do: [{ a: { set: { x: '${ 1 + {} }' } } }] }";
    let error = run(text, &json!({})).unwrap_err();
    assert_eq!(error["instance"], "/do/0/o/do/0/a");
    assert_eq!((&error["title"], &error["status"]), (&json!("Expression failed"), &json!(400)));
    let text = "do:\n- t: { try: [{ l: { for: { in: .n }, do: [] } }], catch: { errors: { with: { instance: /do/0/t/try/0/l } }, as: e, do: [{ b: { set: { t: '${ $e.title }' } } }] } }";
    assert_eq!(run(text, &json!({"n": 1})), Ok(json!({"t": "Data not valid"})));
}

//! `sluice policy packs` and `add`: policies to take over, which count once they are signed.

use insta::assert_snapshot;
use sluice_policy::PACKS;

use crate::sandbox::Sandbox;

#[test]
fn every_pack_is_listed_with_what_it_is_about() {
    let listed = Sandbox::new().sluice(&["policy", "packs"]).with(0).out;
    for pack in PACKS {
        assert!(listed.contains(pack.name), "{listed}");
    }
}

#[test]
fn a_pack_is_written_beside_the_rules_and_counts_once_it_is_signed() {
    let sandbox = Sandbox::with_workspace();
    assert_snapshot!(sandbox.sluice(&["policy", "add", "exports"]).with(0).out, @"
    wrote policies/exports.cedar
    wrote policies/tests/exports.yaml
      forbid  exports-first-time
              this workflow has never sent anything to the destination or dataset
              before
      forbid  exports-in-a-services-name
              whoever asks is a service, and the kinds of data in the payload would
              leave in its name
      forbid  exports-no-credentials
              credentials never leave, and the kinds of data in the arguments or
              what decides that the step runs would

    next: not in force until it is signed: read it, change what is not yours,
          `sluice policy test`, then `sluice policy sign`
    ");
    let waiting = sandbox.sluice(&["policy", "check"]).with(1).out;
    assert!(waiting.contains("exports-first-time") && waiting.contains("not in force"), "{waiting}");
    sandbox.sluice(&["policy", "test"]).with(0);
    sandbox.sign("ana").with(0);
    sandbox.sluice(&["policy", "check"]).with(0);
}

#[test]
fn all_packs_can_be_added_and_the_tests_of_the_default_policies_still_pass() {
    let sandbox = Sandbox::with_workspace();
    for pack in PACKS {
        let told = sandbox.sluice(&["policy", "add", pack.name]).with(0).out;
        let asks = pack.policies.contains("@approvers(\"group:");
        assert_eq!(told.contains("there is no group"), asks, "{told}");
    }
    sandbox.sluice(&["policy", "test", "policies/tests/default.yaml"]).with(0);
}

#[test]
fn nothing_is_replaced_and_nothing_half_written() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/policies/tests/gdpr.yaml", "version: 1\ncases: []\n");
    let refused = sandbox.sluice(&["policy", "add", "gdpr"]).with(2).err;
    assert!(refused.contains("is there already"), "{refused}");
    assert!(!sandbox.path("ws/policies/gdpr.cedar").exists());
    sandbox.write(
        "ws/policies/mine.cedar",
        "@id(\"budget-amount-ceiling\") @why(\"x\")\nforbid (principal, action, resource);\n",
    );
    let refused = sandbox.sluice(&["policy", "add", "budgets"]).with(2).err;
    assert!(refused.contains("SL303"), "{refused}");
    assert!(!sandbox.path("ws/policies/budgets.cedar").exists());
    let unknown = sandbox.sluice(&["policy", "add", "budget"]).with(2).err;
    assert!(unknown.replace('\n', " ").contains("do you mean `budgets`?"), "{unknown}");
}

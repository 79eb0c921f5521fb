//! What the tree holds: shapes of every construct, and spans that say what their nodes say.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use ebsec_grammar::ast::*;
use ebsec_grammar::parse;
use serde_json::Value as Json;

fn good(text: &str) -> File {
    let tree = parse(text);
    assert!(tree.errors().is_empty(), "{:?}\n{text}", tree.errors());
    tree.whole()
}

fn item(text: &str) -> ItemKind {
    let mut items = good(text).items;
    assert_eq!(items.len(), 1);
    items.remove(0).kind
}

fn member(text: &str) -> MemberKind {
    let ItemKind::Policy(mut policy) = item(&format!("policy p {{ {text} }}")) else { panic!("{text}") };
    assert_eq!(policy.members.len(), 1);
    policy.members.remove(0).kind
}

fn rule(text: &str) -> Rule {
    let MemberKind::Rule(rule) = member(text) else { panic!("{text}") };
    rule
}

fn value(text: &str) -> Value {
    let ItemKind::Let { value, .. } = item(&format!("let a = {text}")) else { panic!("{text}") };
    value
}

/// A condition in brackets, to compare shapes.
fn shape(cond: &Cond) -> String {
    let all = |conds: &[Cond]| conds.iter().map(shape).collect::<Vec<_>>().join(" ");
    let name = |operand: &Operand| match operand {
        Operand::Name(name) => name.node.clone(),
        Operand::Index { name, key, .. } => format!("{}[{}]", name.node, key.node),
        Operand::Call { name, args, .. } => {
            let args: Vec<String> = args
                .iter()
                .map(|arg| match arg {
                    Arg::Cond(cond) => shape(cond),
                    Arg::Value(value) => constant(value),
                })
                .collect();
            format!("{}({})", name.node, args.join(" "))
        }
    };
    match &cond.kind {
        CondKind::And(conds) => format!("(and {})", all(conds)),
        CondKind::Or(conds) => format!("(or {})", all(conds)),
        CondKind::Not(cond) => format!("(not {})", shape(cond)),
        CondKind::Bare(operand) => name(operand),
        CondKind::Compare { operand, op, value } => format!("({:?} {} {})", op.node, name(operand), constant(value)),
    }
}

fn constant(value: &Value) -> String {
    match &value.kind {
        ValueKind::Set(elements) => format!("[{}]", elements.iter().map(constant).collect::<Vec<_>>().join(" ")),
        ValueKind::Range { low, high } => format!("{}..{}", low.node, high.node),
        ValueKind::Literal(literal) => format!("{literal:?}"),
        ValueKind::Name(name) => name.clone(),
        ValueKind::Union(a, b) => format!("(+ {} {})", constant(a), constant(b)),
        ValueKind::Difference(a, b) => format!("(- {} {})", constant(a), constant(b)),
    }
}

fn condition(text: &str) -> String {
    let ItemKind::Fn { body, .. } = item(&format!("fn f() = {text}")) else { panic!("{text}") };
    shape(&body)
}

#[test]
fn conditions() {
    assert_eq!(condition("a"), "a");
    assert_eq!(condition("a and b and c"), "(and a b c)");
    assert_eq!(condition("a or (b and not c)"), "(or a (and b (not c)))");
    assert_eq!(condition("not not (a or b)"), "(not (not (or a b)))");
    assert_eq!(condition("not a == 1 and b"), "(and (not (Eq a Number(\"1\"))) b)");
    assert_eq!(condition("(a and b) and c"), "(and (and a b) c)");
    assert_eq!(condition("pod.labels[\"a\\\"b\"] == x"), "(Eq pod.labels[a\"b] x)");
    assert_eq!(condition("f() or g(a, \"b\", c == 1, h(d), [1])"), "(or f() g(a Str(\"b\") (Eq c Number(\"1\")) h(d) [Number(\"1\")]))");
    for (op, name) in [("!=", "Ne"), ("<", "Lt"), ("<=", "Le"), (">", "Gt"), (">=", "Ge"), ("in", "In"), ("under", "Under")] {
        assert_eq!(condition(&format!("a {op} b")), format!("({name} a b)"));
    }
    for (op, name) in [("matches", "Matches"), ("has", "Has"), ("only", "Only")] {
        assert_eq!(condition(&format!("a {op} b")), format!("({name} a b)"));
    }
    assert_eq!(condition("inner and notes and order"), "(and inner notes order)", "keywords end at word boundaries");
}

#[test]
fn constants() {
    assert_eq!(constant(&value("a + b - [1, 2..3,]")), "(- (+ a b) [Number(\"1\") 2..3])");
    assert_eq!(constant(&value("[]")), "[]");
    assert_eq!(constant(&value("[[a], fe80::1..fe80::ff]")), "[[a] fe80::1..fe80::ff]");
    assert_eq!(constant(&value("2027-03-31")), "Date(\"2027-03-31\")");
    assert_eq!(constant(&value("T1552.004")), "Attack(\"T1552.004\")");
    assert_eq!(constant(&value("fd00::/8")), "Cidr(\"fd00::/8\")");
    assert_eq!(constant(&value("::1")), "Ip(\"::1\")");
    assert_eq!(constant(&value("10m")), "Duration(\"10m\")");
    assert_eq!(constant(&value("std.a.b")), "std.a.b");
    assert_eq!(constant(&value("\"a\\n\\\\\"")), "Str(\"a\\n\\\\\")");
}

#[test]
fn items() {
    let ItemKind::Import { path, alias } = item("import std.programs as prog") else { panic!() };
    assert_eq!((path.node.as_str(), alias.unwrap().node.as_str()), ("std.programs", "prog"));
    let ItemKind::Let { ty, .. } = item("let a: set<path> = b") else { panic!() };
    let ty = ty.unwrap();
    assert_eq!((ty.name.node.as_str(), ty.arg.unwrap().node.as_str()), ("set", "path"));
    let ItemKind::Param { default, .. } = item("param a: path") else { panic!() };
    assert!(default.is_none());
    let ItemKind::Fn { args, .. } = item("fn f(a: path, b: set<cidr>) = x in b") else { panic!() };
    assert_eq!(args.len(), 2);
    let ItemKind::Mark { per, lasts, .. } = item("mark m per lineage for 10m") else { panic!() };
    assert_eq!((per.node.as_str(), lasts.unwrap().node.as_str()), ("lineage", "10m"));
    let ItemKind::Apply { target, filter, with } = item("apply a.b where c with { d = e }") else { panic!() };
    assert!(target.node == "a.b" && filter.is_some() && with.is_some());
    let except = item("except p default exec.done when a because \"b\" until 2027-01-01");
    let ItemKind::Except { default, because, until, .. } = except else { panic!() };
    assert_eq!((default.unwrap().node.as_str(), because.node.as_str()), ("exec.done", "b"));
    assert_eq!(until.unwrap().node, "2027-01-01");
}

#[test]
fn members() {
    let rule = rule("a: deny exec, net.egress when b unless c because \"d\" with { e = f }");
    assert_eq!(rule.events.iter().map(|e| e.node.as_str()).collect::<Vec<_>>(), ["exec", "net.egress"]);
    assert!(rule.when.is_some() && rule.unless.is_some() && rule.because.is_some() && rule.with.is_some());
    assert!(matches!(self::rule("a: mark m b").action.node, Action::Mark(m) if m.node == "m"));
    assert!(matches!(self::rule("a: allow b").action.node, Action::Allow));
    assert!(matches!(member("default kill a, b because \"c\""), MemberKind::Default { events, .. } if events.len() == 2));
    assert!(matches!(member("scope = a and b"), MemberKind::Scope(Cond { kind: CondKind::And(_), .. })));
    assert!(matches!(member("mode = enforce"), MemberKind::Prop { .. }));
    let rates = self::rule("a: deny b with { after = 200/10s per lineage, limit = 1 / 1m, to = 10.0.0.1:80, six = [::1]:80, x = [1] }");
    let pairs = rates.with.unwrap().pairs;
    assert!(matches!(&pairs[0].1, PairValue::Rate { count, window, per: Some(per), .. }
        if count.node == "200" && window.node == "10s" && per.node == "lineage"));
    assert!(matches!(&pairs[1].1, PairValue::Rate { per: None, .. }));
    assert!(matches!(&pairs[2].1, PairValue::Endpoint(e) if e.node == "10.0.0.1:80"));
    assert!(matches!(&pairs[3].1, PairValue::Endpoint(e) if e.node == "[::1]:80"));
    assert!(matches!(&pairs[4].1, PairValue::Value(_)));
}

#[test]
fn documentation() {
    let file = good("// no\n/// One.\n///  Two.\n//// no\n///\n/// Three.\nlet a = b\npolicy p {\n/// Of r.\nr: deny a\n}");
    assert_eq!(file.items[0].doc.as_deref(), Some("One.\n Two.\n\nThree."));
    let ItemKind::Policy(policy) = &file.items[1].kind else { panic!() };
    assert_eq!(policy.members[0].doc.as_deref(), Some("Of r."));
    assert_eq!(good("/// a\r\nlet a = b\r\n").items[0].doc.as_deref(), Some("a"));
}

#[test]
fn tests() {
    let text =
        "test \"t\" { process a = { b = c }\n a exec \"/x\" { d = 1 } times 3 => deny by p default\n a net.egress 10.0.0.1:80 => allow }";
    let ItemKind::Test { name, lines, .. } = item(text) else { panic!() };
    assert_eq!((name.node.as_str(), lines.len()), ("t", 3));
    let TestLineKind::Step { target, times, expect, .. } = &lines[1].kind else { panic!() };
    assert!(matches!(target, Some(Target::Literal(Spanned { node: Literal::Str(s), .. })) if s == "/x"));
    assert_eq!(times.as_ref().unwrap().node, 3);
    assert!(matches!(expect, Expect::By { default: true, verdict: Spanned { node: Verdict::Deny, .. }, .. }));
    let TestLineKind::Step { target, expect, .. } = &lines[2].kind else { panic!() };
    assert!(matches!(target, Some(Target::Endpoint(_))) && matches!(expect, Expect::Allow(_)));
}

/// Every name's text is what stands at its span, and every part stands within its whole.
fn walk(text: &str, json: &Json, outer: (u64, u64)) {
    let mut outer = outer;
    if let Json::Object(fields) = json {
        if let Some(span) = fields.get("span") {
            let (start, end) = (span["start"].as_u64().unwrap(), span["end"].as_u64().unwrap());
            assert!(outer.0 <= start && start <= end && end <= outer.1, "{json}");
            outer = (start, end);
            let source = &text[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            assert_eq!(source.trim(), source);
            match fields.get("node") {
                Some(Json::String(node)) if !source.starts_with('"') && !node.starts_with(char::is_uppercase) => assert_eq!(node, source),
                _ => {}
            }
        }
        fields.values().for_each(|field| walk(text, field, outer));
    }
    if let Json::Array(elements) = json {
        elements.iter().for_each(|element| walk(text, element, outer));
    }
}

#[test]
fn spans_say_what_nodes_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/syntax");
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let json = serde_json::to_value(parse(&text).whole()).unwrap();
        walk(&text, &json, (0, text.len() as u64));
    }
}

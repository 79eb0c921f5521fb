//! Literals, checked where they stand. Each mistake is reported at its own bytes, with the fix where there is one.

use super::constant::{Constant, Data, Shape};
use super::interval::{self, Intervals};
use super::{Date, Elem, Env, Given, Ty, Typer, advice};
use crate::diag::{Finding, codes};
use crate::hir::PathLang;
use crate::hir::glob::{self, GlobError, Kind, Problem};
use crate::resolve::habits;
use crate::source::{Loc, PartId, Span};
use ebsec_grammar::ast::{self, Literal, ValueKind};
use std::net::IpAddr;
use std::sync::Arc;

fn one(elem: Elem, data: Data) -> Option<Constant> {
    Some(Constant { elem, shape: Shape::One, data })
}

impl Typer<'_> {
    /// A literal where `want` is wanted.
    pub(crate) fn literal(&mut self, literal: &Literal, loc: Loc, want: Elem) -> Option<Constant> {
        match (literal, want) {
            (Literal::Str(text), Elem::Path | Elem::Name | Elem::Comm) => self.pattern(text, loc, want),
            (Literal::Str(text), Elem::Text) => one(want, Data::Texts(vec![text.clone()])),
            (Literal::Number(text), Elem::Int | Elem::Port | Elem::Uid | Elem::Gid | Elem::Mode | Elem::ModeBits) => {
                let number = self.number(text, loc, want)?;
                one(want, Data::Numbers(vec![(number.into(), number.into())]))
            }
            (Literal::Ip(text), Elem::Ip | Elem::Address) => {
                let at = interval::address(self.address(text, loc)?);
                one(Elem::Ip, Data::Numbers(vec![(at, at)]))
            }
            (Literal::Cidr(text), Elem::Cidr | Elem::Address) => {
                let numbers = self.prefix(text, loc)?;
                Some(Constant { elem: Elem::Cidr, shape: Shape::Range, data: Data::Numbers(numbers) })
            }
            (Literal::Attack(text), Elem::Attack) => {
                if !is_attack(text) {
                    self.bad_attack(text, loc);
                    return None;
                }
                one(want, Data::Texts(vec![text.clone()]))
            }
            (Literal::Date(text), Elem::Date) => {
                self.date(text, loc)?;
                one(want, Data::Texts(vec![text.clone()]))
            }
            (Literal::Duration(text), Elem::Duration) => one(want, Data::Texts(vec![text.clone()])),
            _ => {
                self.mismatch(literal, loc, want);
                None
            }
        }
    }

    fn mismatch(&mut self, literal: &Literal, loc: Loc, want: Elem) {
        let (what, text) = match literal {
            Literal::Str(text) => ("the text", text.clone()),
            Literal::Date(text) => ("the date", text.clone()),
            Literal::Attack(text) => ("the ATT&CK id", text.clone()),
            Literal::Cidr(text) => ("the prefix", text.clone()),
            Literal::Ip(text) => ("the address", text.clone()),
            Literal::Duration(text) => ("the duration", text.clone()),
            Literal::Number(text) => ("the number", text.clone()),
        };
        let message = format!("expected {}, found {what} `{}`", want.phrase(), self.sources.slice(loc));
        let mut diagnostic = Finding::error(codes::TYPE_MISMATCH, loc, message);
        let is_address = |t: &str| t.split('/').next().is_some_and(|a| a.parse::<IpAddr>().is_ok());
        match (literal, want) {
            (Literal::Str(_), Elem::Ip | Elem::Cidr | Elem::Address) if is_address(&text) => {
                diagnostic = diagnostic.help("write addresses without quotes").fix("remove the quotes", loc, text);
            }
            (Literal::Str(_), Elem::Port | Elem::Uid | Elem::Gid | Elem::Int) if text.parse::<u64>().is_ok() => {
                diagnostic = diagnostic.help("write numbers without quotes").fix("remove the quotes", loc, text);
            }
            (Literal::Str(_), Elem::Ip | Elem::Cidr | Elem::Address) => {
                if let Some(help) = advice::address_help(&text) {
                    diagnostic = diagnostic.help(help);
                }
            }
            (Literal::Str(_), Elem::Attack) if is_attack(&text) => {
                diagnostic = diagnostic.help("write ATT&CK ids without quotes").fix("remove the quotes", loc, text);
            }
            (Literal::Str(_), Elem::Uid | Elem::Gid) => diagnostic = diagnostic.help(advice::id_help(&text)),
            (Literal::Str(_), Elem::Enum(_)) => {
                diagnostic = diagnostic.help("write named values without quotes").fix("remove the quotes", loc, text);
            }
            (_, Elem::Enum(kind)) => {
                let known: Vec<&String> = self.index.catalog.enums.get(kind).into_iter().flat_map(|e| e.keys()).collect();
                diagnostic = diagnostic.help(format!("known: {}", crate::diag::list(&known)));
            }
            (Literal::Ip(_), Elem::Cidr) => {
                let length = if text.contains(':') { 128 } else { 32 };
                let prefix = format!("{text}/{length}");
                diagnostic = diagnostic.help(format!("write `{prefix}`")).fix("make it a prefix", loc, prefix);
            }
            _ => {}
        }
        self.push(diagnostic);
    }

    /// A path, name or task name; wildcards make it a pattern.
    fn pattern(&mut self, text: &str, loc: Loc, want: Elem) -> Option<Constant> {
        let kind = match want {
            Elem::Comm => Kind::Comm,
            Elem::Name => Kind::Name,
            _ => Kind::Path,
        };
        match glob::parse(text, kind) {
            Ok(pattern) => one(want, Data::Lang(PathLang::Patterns(vec![pattern]))),
            Err(error) => {
                let diagnostic = self.bad_pattern(text, loc, &error);
                self.push(diagnostic);
                None
            }
        }
    }

    fn bad_pattern(&self, text: &str, loc: Loc, error: &GlobError) -> Finding {
        let code = match error.problem {
            Problem::Relative => codes::RELATIVE_PATH,
            Problem::TrailingSlash | Problem::EmptySegment | Problem::DotSegment => codes::NOT_NORMALISED,
            Problem::TooLong | Problem::SegmentTooLong => codes::TOO_LONG,
            _ => codes::BAD_PATTERN,
        };
        // Where the quotes hold the text as it is, the place is exact.
        let plain = self.sources.slice(loc).len() == text.len() + 2;
        let mut place = loc;
        if plain && error.len < text.len() {
            // Patterns are read byte by byte, and a place is between characters.
            let (from, to) = (text.floor_char_boundary(error.offset), text.ceil_char_boundary(error.offset + error.len));
            let start = loc.span.start + 1;
            place.span = Span { start: start + from as u32, end: start + to as u32 };
        }
        let diagnostic = Finding::error(code, place, error.message.clone());
        match error.problem {
            Problem::Relative => {
                let help = "paths begin with `/`, as in `/usr/bin/ssh`; a condition compares the name alone with `.name`";
                diagnostic.help(habits::path_help(text).unwrap_or(help))
            }
            Problem::TrailingSlash if plain && !text.ends_with("**/") => {
                let without = text.trim_end_matches('/');
                diagnostic.help(format!("write `\"{without}\"`: with `under` it stands for all that is below it too")).guess(
                    "remove the slash",
                    loc,
                    format!("\"{without}\""),
                )
            }
            Problem::EmptySegment if plain && !text.contains(['{', '[', '\\']) => {
                let fixed = normalised(text);
                diagnostic.help(format!("write `\"{fixed}\"`")).fix("normalise the path", loc, format!("\"{fixed}\""))
            }
            Problem::DotSegment if plain && !text.contains(['{', '[', '\\', '*']) => {
                let fixed = normalised(text);
                diagnostic.help(format!("write `\"{fixed}\"`")).guess("normalise the path", loc, format!("\"{fixed}\""))
            }
            Problem::SegmentTooLong | Problem::TooLong => diagnostic.note("no such name exists, so the test would always be false"),
            _ => diagnostic,
        }
    }

    fn number(&mut self, text: &str, loc: Loc, want: Elem) -> Option<u64> {
        let parsed = match text.as_bytes() {
            [b'0', b'o', ..] => u64::from_str_radix(text.trim_start_matches("0o"), 8),
            [b'0', b'x', ..] => u64::from_str_radix(text.trim_start_matches("0x"), 16),
            _ => text.parse(),
        };
        let max = want.max();
        if matches!(want, Elem::Mode | Elem::ModeBits) && self.is_not_octal(text, max, loc) {
            return None;
        }
        let number = parsed.ok().filter(|n| *n <= max);
        let Some(number) = number else {
            let most = if matches!(want, Elem::Mode | Elem::ModeBits) { format!("0o{max:o}") } else { max.to_string() };
            let message = format!("`{text}` is too large for {}: the largest is {most}", want.phrase());
            self.error(codes::OUT_OF_RANGE, loc, message);
            return None;
        };
        Some(number)
    }

    /// Whether permission bits are written as another number, which is an error; none that are too large in octal too.
    fn is_not_octal(&mut self, text: &str, max: u64, loc: Loc) -> bool {
        let digits = text.trim_start_matches('0');
        if text.starts_with("0o") || digits.is_empty() {
            return false;
        }
        let octal = u64::from_str_radix(digits, 8).is_ok_and(|bits| bits <= max);
        let fits = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => text.parse(),
        };
        if !octal && !fits.is_ok_and(|bits| bits <= max) {
            return false;
        }
        let mut diagnostic = Finding::error(codes::NOT_OCTAL, loc, format!("permission bits are octal, `{text}` is not"));
        if octal {
            diagnostic = diagnostic.help(format!("write `0o{digits}`")).guess("make it octal", loc, format!("0o{digits}"));
        }
        self.push(diagnostic);
        true
    }

    pub(crate) fn address(&mut self, text: &str, loc: Loc) -> Option<IpAddr> {
        match text.parse::<IpAddr>() {
            Ok(ip) => Some(ip.to_canonical()),
            Err(_) => {
                let message = format!("`{text}` is not an address");
                let mut diagnostic = Finding::error(codes::BAD_ADDRESS, loc, message);
                if !text.contains(':') {
                    let part = text.split('.').find(|p| p.parse::<u8>().is_err() || (p.len() > 1 && p.starts_with('0')));
                    if let Some(part) = part {
                        diagnostic = diagnostic.help(format!("`{part}` is not a number from 0 to 255 without leading zeros"));
                    }
                }
                self.push(diagnostic);
                None
            }
        }
    }

    /// `10.0.0.0/8` as an interval; host bits are an error.
    fn prefix(&mut self, text: &str, loc: Loc) -> Option<Intervals> {
        let (address, length) = text.split_once('/')?;
        let ip = match address.parse::<IpAddr>() {
            Ok(ip) => ip,
            Err(_) => return self.address(address, loc).map(|_| Vec::new()),
        };
        let longest = if ip.is_ipv4() { 32 } else { 128 };
        let Some(length) = length.parse::<u32>().ok().filter(|l| *l <= longest) else {
            let message = format!("`{text}` has more bits than an address, the longest is `/{longest}`");
            self.error(codes::OUT_OF_RANGE, loc, message);
            return None;
        };
        let bits = longest - length;
        let low = match ip {
            IpAddr::V4(v4) => interval::address(v4.into()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let mask = 1u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1);
        if low & mask != 0 {
            let network = low & !mask;
            let shown = match ip {
                IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::from_bits(network as u32)),
                IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::from_bits(network)),
            };
            let fixed = format!("{shown}/{length}");
            let message = format!("`{text}` has bits beyond its length of {length}");
            self.push(
                Finding::error(codes::HOST_BITS, loc, message).help(format!("the prefix is `{fixed}`; one address is `{address}`")).guess(
                    "clear the bits",
                    loc,
                    fixed,
                ),
            );
            return None;
        }
        let high = low | mask;
        Some(if ip.is_ipv4() { vec![(low, high)] } else { interval::v6(low, high) })
    }

    /// `5432..5440`, `10.0.0.1..10.0.0.9`.
    pub(crate) fn range(&mut self, low: &ast::Name, high: &ast::Name, loc: Loc, want: Elem, part: PartId) -> Option<Constant> {
        let (low_loc, high_loc) = (Loc::new(part, low.span), Loc::new(part, high.span));
        let addresses = low.node.contains(['.', ':']) || high.node.contains(['.', ':']);
        let wanted = match want {
            Elem::Ip | Elem::Address => addresses,
            Elem::Int | Elem::Port | Elem::Uid | Elem::Gid | Elem::Mode => !addresses,
            _ => false,
        };
        if !wanted {
            let message = format!("expected {}, found the range `{}`", want.phrase(), self.sources.slice(loc));
            self.error(codes::TYPE_MISMATCH, loc, message);
            return None;
        }
        let (from, to, elem) = if addresses {
            let (a, b) = (self.address(&low.node, low_loc), self.address(&high.node, high_loc));
            let (a, b) = (a?, b?);
            if a.is_ipv4() != b.is_ipv4() {
                self.error(codes::EMPTY_RANGE, loc, "this range begins in one family of addresses and ends in another");
                return None;
            }
            (interval::address(a), interval::address(b), Elem::Ip)
        } else {
            let (a, b) = (self.number(&low.node, low_loc, want), self.number(&high.node, high_loc, want));
            (a?.into(), b?.into(), want)
        };
        if from > to {
            let message = format!("this range ends before it begins: `{}` is more than `{}`", low.node, high.node);
            let turned = format!("{}..{}", high.node, low.node);
            self.push(Finding::error(codes::EMPTY_RANGE, loc, message).help(format!("write `{turned}`")).guess(
                "swap the ends",
                loc,
                turned,
            ));
            return None;
        }
        let numbers = if elem == Elem::Ip { interval::v6(from, to) } else { vec![(from, to)] };
        Some(Constant { elem, shape: Shape::Range, data: Data::Numbers(numbers) })
    }

    pub(crate) fn bad_attack(&mut self, text: &str, loc: Loc) {
        let message = format!("`{text}` does not have the shape of an ATT&CK id");
        self.push(Finding::error(codes::BAD_ATTACK, loc, message).help("a technique is `T1552`, a sub-technique `T1552.004`"));
    }

    /// A day that exists.
    pub(crate) fn date(&mut self, text: &str, loc: Loc) -> Option<Date> {
        let date = Date::parse(text);
        if date.is_none() {
            self.push(
                Finding::error(codes::BAD_DATE, loc, format!("`{text}` is not a day of the calendar"))
                    .help("write dates as year-month-day, such as `2027-03-31`"),
            );
        }
        date
    }

    /// A parameter's value from ebsec.toml or the command line.
    pub(crate) fn given(&mut self, given: &Given, ty: Ty) -> Option<Arc<Constant>> {
        let part = given.loc.part;
        let value = if given.from_text { self.reparse(&given.value, ty.elem, part)? } else { given.value.clone() };
        let loc = Loc::new(part, value.span);
        let env = Env::of(given.file.unwrap_or(usize::MAX), part);
        let constant = self.value(&value, ty.elem, &env).constant?;
        // One value on the command line is a set of one.
        let constant = match (&value.kind, ty.set && constant.shape != Shape::Set && given.from_text) {
            (_, true) => Arc::new(Constant { shape: Shape::Set, ..constant.as_ref().clone() }),
            _ => constant,
        };
        self.shaped(&constant, ty, loc)
    }

    /// Texts stand for what the type says: `"10.0.0.0/8"` for a prefix, `"/a"` for a path.
    fn reparse(&mut self, value: &ast::Value, elem: Elem, part: PartId) -> Option<ast::Value> {
        match &value.kind {
            ValueKind::Set(items) => {
                let items: Vec<_> = items.iter().map(|i| self.reparse(i, elem, part)).collect();
                Some(ast::Value { span: value.span, kind: ValueKind::Set(items.into_iter().collect::<Option<_>>()?) })
            }
            ValueKind::Literal(Literal::Str(text)) => {
                let starts = text.trim_start().starts_with(['"', '[']);
                if matches!(elem, Elem::Path | Elem::Name | Elem::Comm | Elem::Text) && !starts {
                    return Some(value.clone());
                }
                let tree = ebsec_grammar::parse(&format!("let x = {text}"));
                let kind = match tree.items().first().map(|entry| &entry.item.kind) {
                    Some(ast::ItemKind::Let { value, .. }) if tree.errors().is_empty() => value.clone(),
                    _ => {
                        let message = format!("`{text}` is not {}", elem.phrase());
                        let diagnostic = Finding::error(codes::TYPE_MISMATCH, Loc::new(part, value.span), message);
                        let several = text.contains(',') && !text.starts_with('[');
                        self.push(if several { diagnostic.help(format!("several values are written `[{text}]`")) } else { diagnostic });
                        return None;
                    }
                };
                let quoted = matches!(elem, Elem::Path | Elem::Name | Elem::Comm | Elem::Text);
                let parsed = moved(kind, value.span);
                // Quotes within, as in ebsec.toml: each layer that is taken off makes the text shorter.
                if quoted { Some(parsed) } else { self.reparse(&parsed, elem, part) }
            }
            _ => Some(value.clone()),
        }
    }
}

/// A tree with all places at one: its text is not in the file.
fn moved(value: ast::Value, span: Span) -> ast::Value {
    let kind = match value.kind {
        ValueKind::Set(items) => ValueKind::Set(items.into_iter().map(|i| moved(i, span)).collect()),
        ValueKind::Range { low, high } => ValueKind::Range { low: ast::Name { span, ..low }, high: ast::Name { span, ..high } },
        ValueKind::Union(a, b) => ValueKind::Union(Box::new(moved(*a, span)), Box::new(moved(*b, span))),
        ValueKind::Difference(a, b) => ValueKind::Difference(Box::new(moved(*a, span)), Box::new(moved(*b, span))),
        other => other,
    };
    ast::Value { span, kind }
}

fn is_attack(text: &str) -> bool {
    let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    let Some(rest) = text.strip_prefix('T') else { return false };
    match rest.split_once('.') {
        None => digits(rest, 4),
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
    }
}

/// Takes out `//`, `.` and `..`.
fn normalised(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(out.pop()),
            other => out.push(other),
        }
    }
    format!("/{}", out.join("/"))
}

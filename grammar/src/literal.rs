//! Tells words apart by their shape: names, numbers, addresses, dates, durations, rates, ATT&CK ids; and resolves
//! escapes. Takes the text of one word. Only the shape is looked at: ranges and units are the type stage's.

use crate::ast::Literal;

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// A name, dots included.
    Name,
    /// A literal of its own.
    Literal(Literal),
    /// `200/10s`: the byte at which the `/` stands.
    Rate(usize),
    /// `10.2.3.4:443`
    Endpoint,
}

/// Why a word is nothing: a sentence, and what to write.
pub(crate) type Wrong = (String, Option<String>);

/// What `word` is by its shape.
pub(crate) fn classify(word: &str) -> Result<Word, Wrong> {
    let owned = || word.to_owned();
    match word.as_bytes().first() {
        _ if word.contains(':') => colons(word),
        Some(b'0'..=b'9') => digits(word),
        Some(b'T') if is_attack(word) => Ok(Word::Literal(Literal::Attack(owned()))),
        _ if is_name(word) => Ok(Word::Name),
        _ => Err((format!("`{word}` is not a name"), name_help(word))),
    }
}

fn name_help(word: &str) -> Option<String> {
    if word.starts_with('T') && word.bytes().skip(1).all(|b| b.is_ascii_digit() || b == b'.') {
        let (technique, sub) = split(word, '.');
        let padded = format!("{technique}.{:0>3}", sub.unwrap_or_default());
        return Some(match sub.is_some_and(is_short_number) && is_attack(&padded) {
            true => format!("did you mean `{padded}`?"),
            false => "an ATT&CK id is `T` with four digits, then perhaps `.` and three, such as `T1552.004`".to_owned(),
        });
    }
    if word.contains('-') {
        return Some("names hold letters, digits and `_`; put blanks around a minus".to_owned());
    }
    word.contains('/').then(|| "text goes in double quotes".to_owned())
}

fn colons(word: &str) -> Result<Word, Wrong> {
    let (address, prefix) = split(word, '/');
    if is_ip6(address) {
        return match prefix {
            None => Ok(Word::Literal(Literal::Ip(word.to_owned()))),
            Some(bits) if is_short_number(bits) => Ok(Word::Literal(Literal::Cidr(word.to_owned()))),
            Some(_) => Err(bad_prefix(word)),
        };
    }
    if let Some((host, port)) = word.split_once(':') {
        if is_ip4(host) && is_decimal(port) {
            return Ok(Word::Endpoint);
        }
        if is_ip4(host) {
            return Err((format!("`{port}` is not a port"), Some("a port is a number".to_owned())));
        }
    }
    if let Some(range) = as_range(word) {
        return Err((format!("`{word}` is not a range"), Some(format!("write `{range}`"))));
    }
    let help = "an IPv6 address has eight groups of up to four hexadecimal digits, or `::` once in place of some";
    Err((format!("`{word}` is not an address"), Some(help.to_owned())))
}

/// The range that two numbers with a dash or a colon between them mean elsewhere.
pub(crate) fn as_range(word: &str) -> Option<String> {
    let (low, high) = word.split_once(['-', ':'])?;
    let both = [low, high].iter().all(|end| is_decimal(end) && (*end == "0" || !end.starts_with('0')));
    both.then(|| format!("{low}..{high}"))
}

fn bad_prefix(word: &str) -> Wrong {
    (format!("`{word}` is not a network"), Some("the number of bits follows the `/`, such as `10.0.0.0/8`".to_owned()))
}

fn digits(word: &str) -> Result<Word, Wrong> {
    let (left, right) = split(word, '/');
    if let Some(right) = right {
        return slashed(word, left, right);
    }
    if is_ip4(word) {
        return Ok(Word::Literal(Literal::Ip(word.to_owned())));
    }
    if is_date(word) {
        return Ok(Word::Literal(Literal::Date(word.to_owned())));
    }
    if let Some(range) = as_range(word) {
        return Err((format!("`{word}` is not a range"), Some(format!("write `{range}`"))));
    }
    if word.contains('-') {
        let help = "a date is written year-month-day with two digits each, such as `2027-03-31`";
        return Err((format!("`{word}` is not a date"), Some(help.to_owned())));
    }
    if word.contains('.') {
        return Err(dotted(word));
    }
    number(word)
}

fn slashed(word: &str, left: &str, right: &str) -> Result<Word, Wrong> {
    if is_ip4(left) {
        let network = is_short_number(right);
        return if network { Ok(Word::Literal(Literal::Cidr(word.to_owned()))) } else { Err(bad_prefix(word)) };
    }
    let count = number(left)?;
    let window = number(right)?;
    match (count, window) {
        (Word::Literal(Literal::Number(_)), Word::Literal(Literal::Duration(_))) => Ok(Word::Rate(left.len())),
        _ => Err((
            format!("`{word}` is neither a network nor a rate"),
            Some("a rate is a number, `/`, and a duration, such as `200/10s`".to_owned()),
        )),
    }
}

fn dotted(word: &str) -> Wrong {
    if word.bytes().all(|b| b.is_ascii_digit() || b == b'.') && word.matches('.').count() > 1 {
        return (format!("`{word}` is not an IPv4 address"), Some("an IPv4 address has four numbers of up to three digits".to_owned()));
    }
    (format!("`{word}` is not a number"), Some("numbers are whole".to_owned()))
}

/// A number or a duration.
fn number(word: &str) -> Result<Word, Wrong> {
    let radix = |digits: &str, ok: fn(&u8) -> bool, name: &str| {
        if !digits.is_empty() && digits.as_bytes().iter().all(ok) {
            return Ok(Word::Literal(Literal::Number(word.to_owned())));
        }
        Err((format!("`{word}` is not {name} number"), None))
    };
    if let Some(octal) = word.strip_prefix("0o") {
        return radix(octal, |b| matches!(b, b'0'..=b'7'), "an octal");
    }
    if let Some(hex) = word.strip_prefix("0x") {
        return radix(hex, u8::is_ascii_hexdigit, "a hexadecimal");
    }
    let end = word.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(word.len());
    let (digits, unit) = word.split_at(end);
    if digits.len() > 1 && digits.starts_with('0') {
        return Err(leading_zero(word, digits, unit));
    }
    match unit {
        "" => Ok(Word::Literal(Literal::Number(word.to_owned()))),
        "ms" | "s" | "m" | "h" | "d" => Ok(Word::Literal(Literal::Duration(word.to_owned()))),
        _ => Err(unknown_unit(word, digits, unit)),
    }
}

fn leading_zero(word: &str, digits: &str, unit: &str) -> Wrong {
    let plain = match digits.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    };
    let octal = unit.is_empty() && plain.bytes().all(|b| b < b'8') && plain != "0";
    let help = if octal { format!("write `{plain}`, or `0o{plain}` if it is octal") } else { format!("write `{plain}{unit}`") };
    (format!("number `{word}` has a leading zero"), Some(help))
}

fn unknown_unit(word: &str, digits: &str, unit: &str) -> Wrong {
    let help = match unit.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => format!("write `{digits}s`"),
        "min" | "mins" | "minute" | "minutes" => format!("write `{digits}m`"),
        "hr" | "hour" | "hours" => format!("write `{digits}h`"),
        "day" | "days" => format!("write `{digits}d`"),
        _ if unit.starts_with('_') => "write the digits without `_`".to_owned(),
        _ => "the units of a duration are `ms`, `s`, `m`, `h` and `d`; names begin with a letter".to_owned(),
    };
    (format!("`{word}` is neither a number nor a duration"), Some(help))
}

/// The word before `at`, and what follows it if it is there.
fn split(word: &str, at: char) -> (&str, Option<&str>) {
    word.split_once(at).map_or((word, None), |(left, right)| (left, Some(right)))
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_short_number(text: &str) -> bool {
    text.len() <= 3 && is_decimal(text)
}

fn is_name(word: &str) -> bool {
    word.split('.').all(|part| {
        !part.starts_with(|c: char| c.is_ascii_digit()) && !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// `T1552` or `T1552.004`.
fn is_attack(word: &str) -> bool {
    let (technique, sub) = split(word.get(1..).unwrap_or_default(), '.');
    technique.len() == 4 && is_decimal(technique) && sub.is_none_or(|s| s.len() == 3 && is_decimal(s))
}

fn is_date(word: &str) -> bool {
    let mut parts = word.split('-');
    let mut part = |length| parts.next().is_some_and(|p| p.len() == length && is_decimal(p));
    part(4) && part(2) && part(2) && parts.next().is_none()
}

fn is_ip4(word: &str) -> bool {
    word.split('.').count() == 4 && word.split('.').all(is_short_number)
}

/// Eight groups, or `::` once in place of some; the last two groups may be an IPv4 address.
pub(crate) fn is_ip6(word: &str) -> bool {
    let groups = |part: &str, last: bool| -> Option<usize> {
        if part.is_empty() {
            return Some(0);
        }
        let count = part.split(':').count();
        let mut total = 0;
        for (at, group) in part.split(':').enumerate() {
            let hex = (1..=4).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_hexdigit());
            let four = last && at + 1 == count && is_ip4(group);
            if !hex && !four {
                return None;
            }
            total += if hex { 1 } else { 2 };
        }
        Some(total)
    };
    match word.split_once("::") {
        Some((left, right)) => {
            matches!((groups(left, false), groups(right, true)), (Some(l), Some(r)) if l + r <= 7)
        }
        None => groups(word, true) == Some(8),
    }
}

/// The text between the quotes with escapes resolved; wrong escapes are given with their byte and stay as they are.
pub(crate) fn unescape(body: &str) -> (String, Vec<(usize, char)>) {
    if !body.contains('\\') {
        return (body.to_owned(), Vec::new());
    }
    let (mut text, mut wrong) = (String::with_capacity(body.len()), Vec::new());
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some((_, '"')) => text.push('"'),
            Some((_, '\\')) => text.push('\\'),
            Some((_, 'n')) => text.push('\n'),
            Some((_, 't')) => text.push('\t'),
            Some((_, other)) => {
                text.extend(['\\', other]);
                wrong.push((at, other));
            }
            None => text.push('\\'),
        }
    }
    (text, wrong)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn kind(word: &str) -> &'static str {
        match classify(word) {
            Ok(Word::Name) => "name",
            Ok(Word::Rate(_)) => "rate",
            Ok(Word::Endpoint) => "endpoint",
            Ok(Word::Literal(Literal::Str(_))) => "string",
            Ok(Word::Literal(Literal::Date(_))) => "date",
            Ok(Word::Literal(Literal::Attack(_))) => "attack",
            Ok(Word::Literal(Literal::Cidr(_))) => "cidr",
            Ok(Word::Literal(Literal::Ip(_))) => "ip",
            Ok(Word::Literal(Literal::Duration(_))) => "duration",
            Ok(Word::Literal(Literal::Number(_))) => "number",
            Err(_) => "wrong",
        }
    }

    #[test]
    fn shapes() {
        let all = [
            ("name", "a a.b T15 Tx face T1552x std.credentials.files _x"),
            ("attack", "T1552 T1552.004"),
            ("ip", "10.0.0.1 999.1.1.1 ::1 :: fd00:: fe80::ff ::ffff:10.0.0.1 2001:db8:0:0:0:0:0:1"),
            ("cidr", "10.0.0.0/8 fd00::/8 ::1/128 2001:db8:0:0:0:0:0:1/64 10.0.0.0/99"),
            ("date", "2027-03-31 2027-99-99"),
            ("duration", "10m 5ms 0s 1h 2d"),
            ("number", "0 443 0o4755 0x1F 99999999999999999999999"),
            ("rate", "200/10s 1/1m"),
            ("endpoint", "10.2.3.4:443 10.2.3.4:99999"),
            ("wrong", "08 0755 10min 1.5 1.2.3 1.2.3.4.5 0o9 0x 2027-3-1 10.0.0.0/a 1/2 a-1 a. a.1 1_000"),
            ("wrong", "fd00:1 1::2::3 1:2:3:4:5:6:7:8:9 1::2:3:4:5:6:7:8 10.0.0.1:http T1552.04 05s 1:2 ::ffff:10.0.0"),
        ];
        for (expected, words) in all {
            for word in words.split(' ') {
                assert_eq!(kind(word), expected, "{word}");
            }
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(r#"a\"b\\c\n\t"#).0, "a\"b\\c\n\t");
        assert_eq!(unescape(r"\d+"), (r"\d+".to_owned(), vec![(0, 'd')]));
    }
}

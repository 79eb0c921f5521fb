//! Pattern text in, [`Pattern`] or the first mistake and its place out. Never matches anything.

use super::{Part, Pattern, set_of};

/// What a pattern is a pattern of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Absolute normalised paths.
    Path,
    /// The last segment of a path.
    Name,
    /// Task names, at most 15 bytes.
    Comm,
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Problem {
    Empty,
    Relative,
    TrailingSlash,
    EmptySegment,
    DotSegment,
    Slash,
    TooLong,
    SegmentTooLong,
    ForbiddenByte,
    BadClass,
    BadBraces,
    BadStars,
    TooDeep,
    TooLarge,
}

/// A mistake in a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobError {
    /// First byte of the mistake in the pattern's text.
    pub offset: usize,
    /// Length in bytes, at least one unless the text is empty.
    pub len: usize,
    /// What kind of mistake.
    pub problem: Problem,
    /// One lowercase sentence.
    pub message: String,
}

/// Longest path in bytes.
const MAX_PATH: usize = 4096;
/// Longest segment in bytes.
const MAX_SEGMENT: usize = 255;
/// Longest task name in bytes.
const MAX_COMM: usize = 15;
/// Deepest nesting of braces.
const MAX_DEPTH: usize = 16;
/// Longest pattern text.
const MAX_TEXT: usize = 16_384;

/// Parses a pattern. Without wildcards it is a literal path, name or comm.
pub fn parse(text: &str, kind: Kind) -> Result<Pattern, GlobError> {
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, kind, depth: 0 };
    let at = parser.whole(text)?;
    Ok(Pattern { text: text.into(), parts: at.into() })
}

/// Where a path stands: a set of the states below, as bits, and the least lengths so far.
#[derive(Clone, Copy)]
struct Shape {
    states: u8,
    segment: usize,
    total: usize,
}

const START: u8 = 1;
const SLASH: u8 = 2;
const DOT: u8 = 4;
const DOTS: u8 = 8;
const WORD: u8 = 16;

struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
    kind: Kind,
    depth: usize,
}

impl Parser<'_> {
    fn error<T>(&self, offset: usize, len: usize, problem: Problem, message: impl Into<String>) -> Result<T, GlobError> {
        Err(GlobError { offset, len: len.max(1), problem, message: message.into() })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn whole(&mut self, text: &str) -> Result<Vec<Part>, GlobError> {
        if text.is_empty() {
            let message = match self.kind {
                Kind::Path => "a path cannot be empty",
                Kind::Name => "a name cannot be empty",
                Kind::Comm => "a task name cannot be empty",
            };
            return Err(GlobError { offset: 0, len: 0, problem: Problem::Empty, message: message.into() });
        }
        if text.len() > MAX_TEXT {
            return self.error(0, text.len(), Problem::TooLarge, format!("this pattern is longer than {MAX_TEXT} bytes"));
        }
        if self.kind == Kind::Path && !matches!(self.peek(), Some(b'/')) {
            return self.error(0, text.len(), Problem::Relative, format!("`{text}` is not an absolute path"));
        }
        let mut shape = Shape { states: START, segment: 0, total: 0 };
        let parts = self.sequence(&mut shape)?;
        if self.at < self.bytes.len() {
            return self.error(self.at, 1, Problem::BadBraces, "this `}` has no `{`");
        }
        self.finish(shape, &parts)?;
        Ok(parts)
    }

    fn finish(&self, shape: Shape, parts: &[Part]) -> Result<(), GlobError> {
        let end = self.bytes.len();
        if self.kind != Kind::Comm {
            if shape.states & SLASH != 0 && parts.len() > 1 {
                return self.error(end - 1, 1, Problem::TrailingSlash, "a path does not end with `/`");
            }
            self.check_dots(shape.states, end)?;
        }
        match self.kind {
            Kind::Path if shape.total > MAX_PATH => {
                self.error(0, end, Problem::TooLong, format!("this path is longer than {MAX_PATH} bytes, which no file has"))
            }
            Kind::Comm if shape.total > MAX_COMM => {
                let message = format!("a task name has at most {MAX_COMM} bytes, this one has {}", shape.total);
                self.error(0, end, Problem::TooLong, message)
            }
            _ => Ok(()),
        }
    }

    fn check_dots(&self, states: u8, end: usize) -> Result<(), GlobError> {
        if states & DOT != 0 {
            return self.error(end - 1, 1, Problem::DotSegment, "a path has no segment `.`");
        }
        if states & DOTS != 0 {
            return self.error(end.saturating_sub(2), 2, Problem::DotSegment, "a path has no segment `..`");
        }
        Ok(())
    }

    /// Parts up to the end, or within braces up to `,` or `}`.
    fn sequence(&mut self, shape: &mut Shape) -> Result<Vec<Part>, GlobError> {
        let mut parts = Vec::with_capacity(self.bytes.len() - self.at);
        while let Some(byte) = self.peek() {
            let start = self.at;
            match byte {
                b'}' | b',' if self.depth > 0 => break,
                b'}' => break,
                b'{' => parts.push(self.alternatives(shape)?),
                b'[' => {
                    parts.push(self.class()?);
                    self.word(shape, start, 1)?;
                }
                b'?' => {
                    self.at += 1;
                    let path = self.kind != Kind::Comm;
                    parts.push(Part::Set(Box::new(set_of(|b| b != 0 && !(path && b == b'/')))));
                    self.word(shape, start, 1)?;
                }
                b'*' => self.stars(&mut parts, shape)?,
                b'\\' => {
                    self.at += 1;
                    let Some(escaped) = self.peek() else {
                        return self.error(start, 1, Problem::ForbiddenByte, "a `\\` at the end escapes nothing");
                    };
                    self.byte(&mut parts, shape, start, escaped)?;
                }
                _ => self.byte(&mut parts, shape, start, byte)?,
            }
        }
        Ok(parts)
    }

    fn byte(&mut self, parts: &mut Vec<Part>, shape: &mut Shape, start: usize, byte: u8) -> Result<(), GlobError> {
        self.at += 1;
        if byte == 0 {
            return self.error(start, 1, Problem::ForbiddenByte, "a path or name cannot hold a zero byte");
        }
        if self.kind == Kind::Comm {
            shape.total += 1;
        } else if byte == b'/' {
            self.slash(shape, start)?;
        } else {
            let before = shape.states;
            self.word(shape, start, 1)?;
            if byte == b'.' {
                shape.states = dotted(before);
            }
        }
        parts.push(Part::Byte(byte));
        Ok(())
    }

    fn slash(&self, shape: &mut Shape, start: usize) -> Result<(), GlobError> {
        if self.kind == Kind::Name {
            return self.error(start, 1, Problem::Slash, "a name is one segment of a path and has no `/`");
        }
        if shape.states & SLASH != 0 {
            return self.error(start, 1, Problem::EmptySegment, "a path has no empty segment `//`");
        }
        self.check_dots(shape.states, start)?;
        *shape = Shape { states: SLASH, segment: 0, total: shape.total + 1 };
        Ok(())
    }

    /// At least `len` bytes of a segment.
    fn word(&self, shape: &mut Shape, start: usize, len: usize) -> Result<(), GlobError> {
        if self.kind == Kind::Path && shape.states & START != 0 {
            return self.error(start, 1, Problem::Relative, "a path begins with `/`");
        }
        *shape = Shape { states: WORD, segment: shape.segment + len, total: shape.total + len };
        if self.kind != Kind::Comm && shape.segment > MAX_SEGMENT {
            let message = format!("a segment of a path has at most {MAX_SEGMENT} bytes");
            return self.error(start, 1, Problem::SegmentTooLong, message);
        }
        Ok(())
    }

    fn stars(&mut self, parts: &mut Vec<Part>, shape: &mut Shape) -> Result<(), GlobError> {
        let start = self.at;
        while self.peek() == Some(b'*') {
            self.at += 1;
        }
        let count = self.at - start;
        if count == 1 {
            parts.push(Part::Star);
            return self.word(shape, start, 0);
        }
        let whole = shape.states == SLASH && matches!(self.peek(), None | Some(b'/'));
        let help = match self.kind {
            Kind::Path if self.depth > 0 => "`**` is not allowed within `{…}`",
            Kind::Path if count > 2 => "more than two `*` in a row mean nothing",
            Kind::Path if !whole => "`**` matches whole segments: write it between slashes or at the end",
            Kind::Path => "",
            _ => "`**` matches segments of a path, and this is one name",
        };
        if !help.is_empty() {
            return self.error(start, count, Problem::BadStars, help);
        }
        parts.push(Part::Segments);
        if self.peek() == Some(b'/') {
            // `(seg/)*` takes the slash with it: what follows stands after a slash again.
            self.at += 1;
            if self.peek().is_none() {
                return self.error(self.at - 1, 1, Problem::TrailingSlash, "a path does not end with `/`");
            }
            return Ok(());
        }
        self.word(shape, start, 0)
    }

    fn alternatives(&mut self, shape: &mut Shape) -> Result<Part, GlobError> {
        let open = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error(open, 1, Problem::TooDeep, format!("braces are nested deeper than {MAX_DEPTH}"));
        }
        let before = *shape;
        let mut after: Option<Shape> = None;
        let mut list = Vec::new();
        loop {
            self.at += 1; // `{` or `,`
            let mut one = before;
            list.push(self.sequence(&mut one)?);
            after = Some(match after {
                None => one,
                Some(other) => {
                    Shape { states: other.states | one.states, segment: other.segment.min(one.segment), total: other.total.min(one.total) }
                }
            });
            match self.peek() {
                Some(b',') => {}
                Some(_) => break,
                None => return self.error(open, 1, Problem::BadBraces, "this `{` is never closed"),
            }
        }
        self.at += 1;
        self.depth -= 1;
        if list.len() < 2 {
            return self.error(open, self.at - open, Problem::BadBraces, "braces need two alternatives or more: `{a,b}`");
        }
        *shape = after.unwrap_or(before);
        Ok(Part::Alt(list))
    }

    /// `[a-z]`, `[!a-z]`; ASCII only. A `]` or `-` that stands for itself is escaped.
    fn class(&mut self) -> Result<Part, GlobError> {
        let open = self.at;
        self.at += 1;
        let negated = matches!(self.peek(), Some(b'!' | b'^'));
        if self.peek() == Some(b'^') {
            return self.error(self.at, 1, Problem::BadClass, "a class is negated with `!`, as in `[!a-z]`");
        }
        self.at += usize::from(negated);
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        while self.peek() != Some(b']') {
            let start = self.at;
            let low = self.class_byte(open)?;
            let mut high = low;
            if self.peek() == Some(b'-') && self.bytes.get(self.at + 1) != Some(&b']') {
                self.at += 1;
                high = self.class_byte(open)?;
            }
            if low > high {
                return self.error(start, self.at - start, Problem::BadClass, "this range of a class ends before it begins");
            }
            ranges.push((low, high));
        }
        self.at += 1;
        if ranges.is_empty() {
            return self.error(open, self.at - open, Problem::BadClass, "this class is empty");
        }
        let path = self.kind != Kind::Comm;
        let inside = |byte: u8| ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte));
        let set = set_of(|byte| byte != 0 && !(path && byte == b'/') && inside(byte) != negated);
        if set == [0; 4] {
            return self.error(open, self.at - open, Problem::BadClass, "this class matches no byte");
        }
        Ok(Part::Set(Box::new(set)))
    }

    fn class_byte(&mut self, open: usize) -> Result<u8, GlobError> {
        if self.peek() == Some(b'\\') {
            self.at += 1;
        }
        let Some(byte) = self.peek() else {
            return self.error(open, 1, Problem::BadClass, "this `[` is never closed");
        };
        self.at += 1;
        if byte == b'/' && self.kind != Kind::Comm {
            return self.error(self.at - 1, 1, Problem::BadClass, "a character class of a path cannot hold `/`");
        }
        if !byte.is_ascii() {
            return self.error(self.at - 1, 1, Problem::BadClass, "a class has ASCII characters only: use `{é,ü}`");
        }
        Ok(byte)
    }
}

/// The states after a `.`.
fn dotted(before: u8) -> u8 {
    let mut after = 0;
    if before & (SLASH | START) != 0 {
        after |= DOT;
    }
    if before & DOT != 0 {
        after |= DOTS;
    }
    if before & (DOTS | WORD) != 0 {
        after |= WORD;
    }
    after
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

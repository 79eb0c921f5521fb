//! Writes lines: takes texts and line breaks, gives the file. Knows columns and line ends; a blank is never the last on its
//! line, and nothing follows a comment on its line.

use super::STEP;

/// The file as far as it is written.
#[derive(Debug)]
pub(super) struct Writer {
    out: String,
    line_end: &'static str,
    /// Blanks before the first text of the line.
    indent: usize,
    /// Columns of the line.
    column: usize,
    /// Nothing is on the line yet.
    fresh: bool,
    /// A comment ended the line.
    ended: bool,
}

impl Writer {
    pub fn new(line_end: &'static str) -> Self {
        Self { out: String::new(), line_end, indent: 0, column: 0, fresh: true, ended: false }
    }

    /// Begins a line. The first of a file is there already.
    pub fn newline(&mut self, indent: usize) {
        if !(self.out.is_empty() || self.fresh && self.out.ends_with('\n')) {
            self.out.push_str(self.line_end);
        }
        (self.indent, self.column, self.fresh, self.ended) = (indent, 0, true, false);
    }

    /// Leaves a line empty, unless it would be the first of the file.
    pub fn empty_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push_str(self.line_end);
        }
    }

    /// Whether nothing is on the line yet.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether a comment ended the line.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Where a text begins that is `gap` blanks behind what is on the line.
    pub fn column(&self, gap: usize) -> usize {
        match (self.fresh, self.ended) {
            (true, _) => self.indent,
            (_, true) => self.continued(),
            _ => self.column + gap,
        }
    }

    /// The indent of a line that goes on with the one before it where no line should end.
    fn continued(&self) -> usize {
        self.indent + 2 * STEP
    }

    /// Writes a text `gap` blanks behind what is on the line.
    pub fn text(&mut self, text: &str, gap: usize) {
        if text.is_empty() {
            return;
        }
        let mut blanks = if self.fresh { self.indent } else { gap };
        if self.ended {
            // The line goes on where no line should end; `indent` stays that of its beginning.
            blanks = self.continued();
            self.newline(self.indent);
        }
        self.out.extend(std::iter::repeat_n(' ', blanks));
        self.out.push_str(text);
        self.column += blanks + text.chars().count();
        self.fresh = false;
    }

    /// Writes a comment behind what is on the line.
    pub fn trail(&mut self, comment: &str) {
        self.text(comment, 1);
        self.ended = true;
    }

    /// Writes a comment on a line of its own.
    pub fn comment(&mut self, comment: &str) {
        if self.fresh {
            self.text(comment, 0);
            self.newline(self.indent);
        } else {
            self.ended = true;
            self.trail(comment);
        }
    }

    /// The whole file.
    pub fn finish(mut self) -> String {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push_str(self.line_end);
        }
        self.out
    }
}

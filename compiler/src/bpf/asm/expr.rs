//! Takes the text of an integer expression and a way to look names up; gives its value.
//!
//! C's operators and precedence on `i64`: `* / %`, `+ -`, `<< >>`, `< <= > >=`, `== !=`, `&`, `^`,
//! `|`, `&&`, `||`, unary `- ! ~`, parentheses, `defined(NAME)`. Overflow and division by zero are
//! errors. Never looks at instructions.

use super::lex::{Token, lex};

/// Looks a name up: `Ok(None)` if there is none.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<i64>, String>;

/// The value of `text`.
pub(super) fn eval(text: &str, lookup: Lookup<'_>) -> Result<i64, String> {
    let mut tokens = Vec::new();
    lex(text, &mut tokens)?;
    let mut p = Parser { tokens: &tokens, at: 0, depth: 0, lookup };
    let value = p.binary(0)?;
    match p.peek() {
        None => Ok(value),
        Some(t) => Err(format!("unexpected `{t}` in the expression `{}`", text.trim())),
    }
}

/// How strongly a binary operator binds.
fn level(op: &str) -> Option<u8> {
    Some(match op {
        "||" => 0,
        "&&" => 1,
        "|" => 2,
        "^" => 3,
        "&" => 4,
        "==" | "!=" => 5,
        "<" | "<=" | ">" | ">=" => 6,
        "<<" | ">>" => 7,
        "+" | "-" => 8,
        "*" | "/" | "%" => 9,
        _ => return None,
    })
}

/// Deeper nesting than this is refused, so that no text can exhaust the stack.
const DEPTH: usize = 64;

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
    lookup: Lookup<'a>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<Token<'_>> {
        self.tokens.get(self.at).copied()
    }

    /// What operators that bind at least so strongly join.
    fn binary(&mut self, least: u8) -> Result<i64, String> {
        let mut left = self.unary()?;
        while let Some(Token::Sign(op)) = self.peek()
            && let Some(level) = level(op).filter(|level| *level >= least)
        {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = apply(op, left, right).ok_or_else(|| format!("`{left} {op} {right}` has no 64-bit value"))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the expression is nested too deeply".to_owned());
        }
        let token = self.tokens.get(self.at).copied().ok_or("the expression ends too early")?;
        self.at += 1;
        let value = match token {
            Token::Sign("-") => self.unary()?.checked_neg().ok_or("the negation has no 64-bit value")?,
            Token::Sign("!") => i64::from(self.unary()? == 0),
            Token::Sign("~") => !self.unary()?,
            Token::Sign("(") => {
                let v = self.binary(0)?;
                self.close()?;
                v
            }
            // Masks are often written as unsigned 64-bit numbers.
            Token::Number(n) => n.cast_signed(),
            Token::Word("defined") => self.defined()?,
            Token::Word(w) => (self.lookup)(w)?.ok_or_else(|| format!("there is no parameter `{w}`"))?,
            Token::Sign(s) => return Err(format!("unexpected `{s}` in an expression")),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn defined(&mut self) -> Result<i64, String> {
        let (open, name) = (self.tokens.get(self.at).copied(), self.tokens.get(self.at + 1).copied());
        self.at += 2;
        match (open, name) {
            (Some(Token::Sign("(")), Some(Token::Word(name))) => {
                self.close()?;
                // A text that is no number is defined too.
                Ok(i64::from(!matches!((self.lookup)(name), Ok(None))))
            }
            _ => Err("`defined` takes a name in parentheses".to_owned()),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.peek() == Some(Token::Sign(")")) {
            self.at += 1;
            return Ok(());
        }
        Err("a `)` is missing in an expression".to_owned())
    }
}

fn apply(op: &str, a: i64, b: i64) -> Option<i64> {
    let shift = || u32::try_from(b).ok();
    Some(match op {
        "||" => i64::from(a != 0 || b != 0),
        "&&" => i64::from(a != 0 && b != 0),
        "|" => a | b,
        "^" => a ^ b,
        "&" => a & b,
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "<" => i64::from(a < b),
        "<=" => i64::from(a <= b),
        ">" => i64::from(a > b),
        ">=" => i64::from(a >= b),
        "<<" => a.checked_shl(shift()?)?,
        ">>" => a.checked_shr(shift()?)?,
        "+" => a.checked_add(b)?,
        "-" => a.checked_sub(b)?,
        "*" => a.checked_mul(b)?,
        "/" => a.checked_div(b)?,
        "%" => a.checked_rem(b)?,
        _ => return None,
    })
}

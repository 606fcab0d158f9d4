//! The formulas of the registry: they say what the losses compute, in letters that exist.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

mod common;

use std::f64::consts::PI;

use common::head::run;
use common::random_problem;
use marginscope::loss::{Form, Formula, LOSSES, LossSpec, Piece, Setting, Values};

/// Every piece with all that is in it.
fn all_pieces(pieces: &[Piece], visit: &mut impl FnMut(&Piece)) {
    for piece in pieces {
        visit(piece);
        match piece {
            Piece::Sub(base, script) | Piece::Sup(base, script) => {
                visit(base);
                all_pieces(script, visit);
            }
            Piece::Fraction(above, below) => {
                all_pieces(above, visit);
                all_pieces(below, visit);
            }
            Piece::Sum(below) => all_pieces(below, visit),
            _ => {}
        }
    }
}

fn params_of(pieces: &[Piece]) -> Vec<&'static str> {
    let mut ids = Vec::new();
    all_pieces(pieces, &mut |piece| {
        if let Piece::Param(id) = piece
            && !ids.contains(id)
        {
            ids.push(*id);
        }
    });
    ids
}

#[test]
fn every_parameter_of_a_formula_exists_and_every_number_of_a_loss_stands_in_it() {
    for spec in LOSSES {
        let short = params_of(&spec.formula.short());
        let whole = params_of(&spec.formula.whole());
        assert!(!spec.formula.target.is_empty());
        for id in short.iter().chain(&whole) {
            let index = spec.param_index(id).expect("a parameter of the loss");
            assert!(spec.params[index].choices.is_empty(), "{id} is no number");
        }
        for param in spec.params.iter().filter(|p| p.choices.is_empty()) {
            let moves_centers_only = param.id == "center_rate"; // no part of the loss's value
            assert_eq!(
                whole.contains(&param.id),
                !moves_centers_only,
                "{}",
                param.id
            );
            assert_eq!(
                short.contains(&param.id),
                !moves_centers_only,
                "{}",
                param.id
            );
        }
    }
}

/// A number or a vector.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(f64),
    Vector(Vec<f64>),
}

impl Value {
    #[track_caller]
    fn number(self) -> f64 {
        match self {
            Self::Number(x) => x,
            Self::Vector(_) => panic!("a vector where a number must stand"),
        }
    }

    fn norm(&self) -> f64 {
        match self {
            Self::Number(x) => x.abs(),
            Self::Vector(v) => v.iter().map(|x| x * x).sum::<f64>().sqrt(),
        }
    }

    /// A product of numbers, or of two vectors.
    fn times(self, other: Self) -> Self {
        match (self, other) {
            (Self::Vector(a), Self::Vector(b)) => {
                Self::Number(a.iter().zip(&b).map(|(a, b)| a * b).sum())
            }
            (a, b) => Self::Number(a.number() * b.number()),
        }
    }

    fn plus(self, other: Self, sign: f64) -> Self {
        match (self, other) {
            (Self::Vector(a), Self::Vector(b)) => {
                Self::Vector(a.iter().zip(&b).map(|(a, b)| a + sign * b).collect())
            }
            (a, b) => Self::Number(a.number() + sign * b.number()),
        }
    }
}

/// A piece with its brackets and bars each on their own, as they are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Piece(Piece),
    Digit(f64),
    Open,
    Close,
    Bar,
    Plus,
    Minus,
    Times,
    /// Raised to this, what stands before it.
    Power(&'static [Piece]),
}

fn tokens(pieces: &[Piece]) -> Vec<Token> {
    pieces.iter().flat_map(tokens_of).collect()
}

fn tokens_of(piece: &Piece) -> Vec<Token> {
    match piece {
        Piece::Upright(text) | Piece::Sign(text) => text
            .chars()
            .filter_map(|c| match c {
                '(' => Some(Token::Open),
                ')' => Some(Token::Close),
                '‖' => Some(Token::Bar),
                '+' => Some(Token::Plus),
                '−' => Some(Token::Minus),
                '·' => Some(Token::Times),
                ' ' => None,
                c => Some(Token::Digit(f64::from(c.to_digit(10).expect("a digit")))),
            })
            .collect(),
        Piece::Sup(base, script) => {
            let mut tokens = tokens_of(base);
            tokens.push(Token::Power(script));
            tokens
        }
        other => vec![Token::Piece(*other)],
    }
}

/// What the letters mean for one sample.
struct Meaning<'a> {
    spec: &'static LossSpec,
    values: &'a Values<f64>,
    feature: Vec<f64>,
    /// W by class
    weights: Vec<Vec<f64>>,
    bias: Vec<f64>,
    centers: Vec<Vec<f64>>,
    label: usize,
    /// Defined after a comma.
    defined: Vec<(&'static str, f64)>,
    /// Which class j is, in a sum.
    other: Option<usize>,
}

impl Meaning<'_> {
    fn class(&self, index: &[Piece]) -> usize {
        match index {
            [Piece::Letter("y")] => self.label,
            [Piece::Letter("j")] => self.other.expect("j stands in a sum"),
            _ => panic!("no class: {index:?}"),
        }
    }

    fn theta_rad(&self, class: usize) -> f64 {
        let (x, w) = (&self.feature, &self.weights[class]);
        let vector = |v: &[f64]| Value::Vector(v.to_vec());
        let cos = vector(x).times(vector(w)).number() / (vector(x).norm() * vector(w).norm());
        cos.acos()
    }

    fn letter(&self, letter: &str) -> Value {
        if let Some((_, value)) = self.defined.iter().find(|(name, _)| *name == letter) {
            return Value::Number(*value);
        }
        match letter {
            "x" => Value::Vector(self.feature.clone()),
            "y" => Value::Number(self.label as f64),
            "e" => Value::Number(std::f64::consts::E),
            "w" => Value::Vector(self.weights[1].clone()),
            "b" => Value::Number(self.bias[1]),
            "π" => Value::Number(PI),
            other => panic!("no meaning for {other}"),
        }
    }

    fn indexed(&self, base: &Piece, index: &[Piece]) -> Value {
        let class = self.class(index);
        match base {
            Piece::Letter("θ") => Value::Number(self.theta_rad(class)),
            Piece::Letter("W") => Value::Vector(self.weights[class].clone()),
            Piece::Letter("b") => Value::Number(self.bias[class]),
            Piece::Letter("c") => Value::Vector(self.centers[class].clone()),
            other => panic!("no meaning for {other:?}"),
        }
    }

    /// L of a formula.
    fn loss(mut self, formula: &Formula) -> f64 {
        if !formula.defined.is_empty() {
            let found = match self.equality(formula.defined) {
                Some(found) => found,
                None => self.stair(formula.defined),
            };
            self.defined.push(found);
        }
        let (name, value) = self.equality(formula.loss).expect("an equality");
        assert_eq!(name, "L");
        value
    }

    /// The letter on the left of an equality, and what stands on its right.
    fn equality(&self, pieces: &[Piece]) -> Option<(&'static str, f64)> {
        let [Piece::Letter(name), Piece::Sign("="), value @ ..] = pieces else {
            return None;
        };
        Some((name, self.sum_of(&tokens(value)).number()))
    }

    /// The least k = 0, 1 … for which `low ≤ middle ≤ high` holds.
    fn stair(&mut self, pieces: &[Piece]) -> (&'static str, f64) {
        let parts: Vec<&[Piece]> = pieces.split(|p| *p == Piece::Sign("≤")).collect();
        let holds = |meaning: &Self| {
            let value = |part: &[Piece]| meaning.sum_of(&tokens(part)).number();
            parts
                .windows(2)
                .all(|pair| value(pair[0]) <= value(pair[1]))
        };
        for k in 0..9 {
            self.defined.push(("k", f64::from(k)));
            let is_found = holds(self);
            let found = self.defined.pop().expect("pushed above");
            if is_found {
                return found;
            }
        }
        panic!("no k for {pieces:?}");
    }

    /// Terms with + and − between them; a sum takes what follows it up to the next sign.
    fn sum_of(&self, tokens: &[Token]) -> Value {
        let mut total: Option<Value> = None;
        let mut sign = 1.0;
        let mut rest = tokens;
        while !rest.is_empty() {
            match rest[0] {
                Token::Plus => (sign, rest) = (1.0, &rest[1..]),
                Token::Minus => (sign, rest) = (-1.0, &rest[1..]),
                _ => {
                    let term = &rest[..term_len(rest)];
                    rest = &rest[term.len()..];
                    let value = self.term(term);
                    total = Some(match total {
                        Some(total) => total.plus(value, sign),
                        None if sign < 0.0 => Value::Number(-value.number()),
                        None => value,
                    });
                }
            }
        }
        total.expect("a term")
    }

    fn term(&self, tokens: &[Token]) -> Value {
        if let [Token::Piece(Piece::Sum(_)), rest @ ..] = tokens {
            let others = (0..self.weights.len()).filter(|&j| j != self.label);
            let terms = others.map(|j| self.with_other(j).term(rest).number());
            return Value::Number(terms.sum());
        }
        let mut product: Option<Value> = None;
        let mut rest = tokens;
        while !rest.is_empty() {
            if rest[0] == Token::Times {
                rest = &rest[1..];
                continue;
            }
            let (value, after) = self.factor(rest);
            rest = after;
            product = Some(match product {
                Some(product) => product.times(value),
                None => value,
            });
        }
        product.expect("a factor")
    }

    fn with_other(&self, other: usize) -> Meaning<'_> {
        Meaning {
            spec: self.spec,
            values: self.values,
            feature: self.feature.clone(),
            weights: self.weights.clone(),
            bias: self.bias.clone(),
            centers: self.centers.clone(),
            label: self.label,
            defined: self.defined.clone(),
            other: Some(other),
        }
    }

    /// The first factor with its powers, and what comes after it.
    fn factor<'t>(&self, tokens: &'t [Token]) -> (Value, &'t [Token]) {
        let (value, rest) = match tokens[0] {
            Token::Digit(digit) => (Value::Number(digit), &tokens[1..]),
            Token::Open => {
                let end = closing(tokens);
                (self.sum_of(&tokens[1..end]), &tokens[end + 1..])
            }
            Token::Bar => {
                let end = 1 + tokens[1..]
                    .iter()
                    .position(|t| *t == Token::Bar)
                    .expect("a second bar");
                let norm = self.sum_of(&tokens[1..end]).norm();
                (Value::Number(norm), &tokens[end + 1..])
            }
            Token::Piece(Piece::Name(name)) => {
                let (argument, rest) = self.factor(&tokens[1..]);
                let function = if name == "cos" { f64::cos } else { f64::ln };
                (Value::Number(function(argument.number())), rest)
            }
            Token::Piece(Piece::Letter(letter)) => (self.letter(letter), &tokens[1..]),
            Token::Piece(Piece::Param(id)) => {
                let index = self.spec.param_index(id).expect("a parameter");
                (Value::Number(self.values[index]), &tokens[1..])
            }
            Token::Piece(Piece::Sub(base, index)) => (self.indexed(base, index), &tokens[1..]),
            Token::Piece(Piece::Fraction(above, below)) => {
                let part = |pieces| self.sum_of(&self::tokens(pieces)).number();
                (Value::Number(part(above) / part(below)), &tokens[1..])
            }
            other => panic!("no factor: {other:?}"),
        };
        match rest {
            [Token::Power(script), rest @ ..] => {
                let power = self.sum_of(&self::tokens(script)).number();
                (Value::Number(value.number().powf(power)), rest)
            }
            rest => (value, rest),
        }
    }
}

/// Tokens up to the next sign outside of brackets and bars.
fn term_len(tokens: &[Token]) -> usize {
    let (mut depth, mut is_in_bars) = (0, false);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Bar => is_in_bars = !is_in_bars,
            Token::Plus | Token::Minus if depth == 0 && !is_in_bars => return i,
            _ => {}
        }
    }
    tokens.len()
}

/// Index of the bracket that closes the first.
fn closing(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    panic!("a bracket stays open");
}

/// The formula is read by the rules of arithmetic and compared with the head that trains.
#[test]
fn formulas_read_as_arithmetic_give_the_losses() {
    for spec in LOSSES {
        let is_binary = spec.form == Form::Binary;
        let n_classes = if is_binary { 2 } else { 4 };
        let mut n_compared = 0;
        for seed in 0..40 {
            let dim = 2 + seed as usize % 2;
            let mut problem = random_problem(seed, dim, n_classes, 1);
            if is_binary {
                // Two-class softmax with W = (0, w) and b = (0, b).
                problem.weights[..dim].fill(0.0);
                problem.bias[0] = 0.0;
            }
            let mut values = spec.defaults(Setting { n_classes, dim });
            for (value, param) in values.iter_mut().zip(spec.params) {
                if param.choices.is_empty() && !param.is_integer {
                    *value *= 1.0 + 0.37 * (seed % 3) as f64;
                }
            }
            let columns = |v: &[f64]| v.chunks(dim).map(<[f64]>::to_vec).collect::<Vec<_>>();
            let meaning = Meaning {
                spec,
                values: &values,
                feature: problem.features.clone(),
                weights: columns(&problem.weights),
                bias: problem.bias.clone(),
                centers: columns(&problem.centers),
                label: usize::from(problem.labels[0]),
                defined: Vec::new(),
                other: None,
            };
            // Beyond θ + m = π ArcFace is guarded (losses.md 4), which its formula leaves out.
            let is_guarded = spec.params.iter().any(|param| !param.choices.is_empty());
            let jumps = (spec.jumps_rad)(&values);
            if is_guarded
                && jumps
                    .iter()
                    .any(|&jump| meaning.theta_rad(meaning.label) > jump)
            {
                continue;
            }
            let expected = run(spec, &problem, &values).loss;
            let found = meaning.loss(&spec.formula);
            assert!(
                (found - expected).abs() < 1e-9 * expected.max(1.0),
                "{} seed {seed}: the formula gives {found}, the head {expected}",
                spec.id
            );
            n_compared += 1;
        }
        assert!(n_compared >= 20, "{}: {n_compared}", spec.id);
    }
}

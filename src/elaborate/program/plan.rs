//! `train { … }` and `data { … }`: what the settings say.

use super::unit::Unit;
use crate::elaborate::suggest::suggest;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::Precision;
use crate::syntax::ExprKind;
use crate::syntax::program::{Body, Pick, Setting, SettingValue};

/// How a model is trained.
#[derive(Clone, Debug)]
pub struct TrainPlan {
    /// Who updates the parameters.
    pub optimizer: OptimizerPlan,
    /// Updates.
    pub steps: Option<u64>,
    /// Passes over the data.
    pub epochs: Option<u64>,
    /// Examples an update.
    pub batch: Batch,
    /// What all random numbers come from.
    pub seed: u64,
    /// Whether the examples are put in a new order for each pass.
    pub shuffle: bool,
    /// The largest norm of all gradients together.
    pub clip_norm: Option<f64>,
    /// The largest magnitude of an element of a gradient.
    pub clip_value: Option<f64>,
    /// What of a parameter is added to its gradient.
    pub l2: Option<f64>,
    /// The fraction of the examples kept for validation.
    pub validation: f64,
    /// The fraction of the examples kept for the end.
    pub test: f64,
    /// Checks without improvement before training stops.
    pub patience: Option<u64>,
    /// The precision of the kernels.
    pub precision: Precision,
    /// Where each setting is written.
    pub spans: Vec<(String, Span)>,
}

/// The optimizer of a [`TrainPlan`].
#[derive(Clone, Debug)]
pub struct OptimizerPlan {
    /// Its name.
    pub name: String,
    /// Its states, with the value of all their elements before the first update.
    pub states: Vec<(String, f64)>,
    /// The method that moves all parameters together, where it is no update of each.
    pub driver: Option<Driver>,
    /// Where it is written, if it is.
    pub span: Option<Span>,
    /// The setting, if there is one.
    pub(super) body: Option<Body>,
}

/// Methods without a learning rate: they look at the whole loss, and choose their steps themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Quasi-Newton of limited memory.
    Lbfgs,
    /// The gradient's direction, as far as the loss falls.
    LineSearch,
    /// Newton's method with the exact Hessian, for few parameters.
    Newton,
}

/// The library's names of the drivers.
pub(super) const DRIVERS: &[(&str, Driver)] =
    &[("lbfgs", Driver::Lbfgs), ("line_search", Driver::LineSearch), ("newton", Driver::Newton)];

/// How many examples an update takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// All.
    Full,
    /// So many.
    Size(u64),
}

/// Where the inputs' numbers come from.
#[derive(Clone, Debug, Default)]
pub struct DataPlan {
    /// The file.
    pub file: Option<(String, Span)>,
    /// The file of a text, whose windows of characters are the examples.
    pub text: Option<(String, Span)>,
    /// Characters from one window to the next.
    pub stride: Option<u64>,
    /// By input: its source.
    pub bindings: Vec<(String, Source, Span)>,
    /// The inputs that are brought to mean 0 and deviation 1.
    pub standardize: Vec<(String, Span)>,
    /// What becomes of rows with missing values.
    pub missing: Missing,
    /// Whether the file's first row has names; unknown where it is not said.
    pub header: Option<bool>,
}

/// The source of one input.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Columns of the file.
    Columns(Vec<ColumnPick>),
    /// One entry an example, row-major.
    Rows(Vec<f64>),
}

/// Some columns of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnPick {
    /// By name.
    Name(String, Span),
    /// All whose names begin like this.
    Prefix(String, Span),
    /// From one name to another, both included.
    Names(String, String, Span),
    /// By position, the end excluded.
    Positions(u64, u64, Span),
}

/// What becomes of rows with missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// They are an error.
    #[default]
    Refuse,
    /// They are left out.
    Drop,
    /// The mean of the column stands in.
    Mean,
}

/// The keys of `train`.
pub(super) const TRAIN: &[&str] = &[
    "optimizer",
    "steps",
    "epochs",
    "batch",
    "seed",
    "shuffle",
    "clip_norm",
    "clip_value",
    "l2",
    "validation",
    "test",
    "patience",
    "precision",
];

impl Default for TrainPlan {
    fn default() -> TrainPlan {
        let optimizer =
            OptimizerPlan { name: String::new(), states: Vec::new(), driver: None, span: None, body: None };
        TrainPlan {
            optimizer,
            steps: None,
            epochs: None,
            batch: Batch::Full,
            seed: 0,
            shuffle: true,
            clip_norm: None,
            clip_value: None,
            l2: None,
            validation: 0.0,
            test: 0.0,
            patience: None,
            precision: Precision::F64,
            spans: Vec::new(),
        }
    }
}

/// Reads the settings of `train`; `number` computes expressions.
pub(super) fn train(
    unit: &Unit,
    settings: &[Setting],
    mut number: impl FnMut(Body) -> Result<f64, Error>,
) -> Result<TrainPlan, Error> {
    let mut plan = TrainPlan::default();
    for setting in settings {
        let key = unit.ast.name(setting.key.symbol);
        check_key("train", key, setting, TRAIN, &plan.spans)?;
        plan.spans.push((key.to_owned(), setting.span));
        let SettingValue::Expression(body) = setting.value else { continue };
        let word = match unit.ast[body.root].kind {
            ExprKind::Name(name) => Some(unit.ast.name(name)),
            _ => None,
        };
        let span = setting.span;
        match (key, word) {
            ("optimizer", _) => {
                plan.optimizer.name = match unit.ast[body.root].kind {
                    ExprKind::Call { callee, .. } => unit.ast.name(callee).to_owned(),
                    _ => word.unwrap_or_default().to_owned(),
                };
                plan.optimizer.body = Some(body);
                plan.optimizer.span = Some(span);
            }
            ("batch", Some("full")) => plan.batch = Batch::Full,
            ("precision", Some("f64")) => plan.precision = Precision::F64,
            ("precision", Some("f32")) => plan.precision = Precision::F32,
            ("precision", _) => return Err(unknown_value("precision", span, "f32 or f64")),
            ("shuffle", Some("true" | "yes")) => plan.shuffle = true,
            ("shuffle", Some("false" | "no")) => plan.shuffle = false,
            ("shuffle", _) => return Err(unknown_value("shuffle", span, "true or false")),
            (_, Some(word)) if !unit.refs.contains_key(&body.root) => {
                let diagnostic = Diagnostic::error(format!("unknown value `{word}` of `{key}`"));
                let hint = if key == "batch" {
                    "a batch is a number of examples, or `full`"
                } else {
                    "it is a number"
                };
                return Err(Error::name(diagnostic.at(span, "not known").hint(hint)));
            }
            _ => set_number(&mut plan, key, number(body)?, span)?,
        }
    }
    check_fractions(&plan)?;
    Ok(plan)
}

fn set_number(plan: &mut TrainPlan, key: &str, value: f64, span: Span) -> Result<(), Error> {
    let whole = |least: f64| match value.fract() == 0.0 && value >= least && value < 1e15 {
        true => Ok(value as u64),
        false => Err(unknown_value(key, span, &format!("a whole number from {least} to below 1e15"))),
    };
    let positive = || match value > 0.0 && value.is_finite() {
        true => Ok(Some(value)),
        false => Err(unknown_value(key, span, "a number above 0")),
    };
    let fraction = || match (0.0..1.0).contains(&value) {
        true => Ok(value),
        false => Err(unknown_value(key, span, "a fraction from 0 to below 1")),
    };
    match key {
        "steps" => plan.steps = Some(whole(1.0)?),
        "epochs" => plan.epochs = Some(whole(1.0)?),
        "batch" => plan.batch = Batch::Size(whole(1.0)?),
        "seed" => plan.seed = whole(0.0)?,
        "patience" => plan.patience = Some(whole(1.0)?),
        "clip_norm" => plan.clip_norm = positive()?,
        "clip_value" => plan.clip_value = positive()?,
        "l2" => plan.l2 = if value == 0.0 { None } else { positive()? },
        "validation" => plan.validation = fraction()?,
        _ => plan.test = fraction()?,
    }
    Ok(())
}

fn check_fractions(plan: &TrainPlan) -> Result<(), Error> {
    if plan.validation + plan.test < 1.0 {
        return Ok(());
    }
    let place = |key: &str| plan.spans.iter().find(|s| s.0 == key).map_or(Span::default(), |s| s.1);
    let diagnostic = Diagnostic::error("validation and test leave no examples to train on");
    let diagnostic = diagnostic.at(place("test"), "").and_at(place("validation"), "");
    Err(Error::input(diagnostic.hint("their sum must be below 1")))
}

/// A driver takes all rows at once, and its gradients whole.
pub(super) fn check_driver(plan: &TrainPlan) -> Result<(), Error> {
    let is_wrong = |key: &str| match key {
        "batch" => plan.batch != Batch::Full,
        "clip_norm" | "clip_value" => true,
        _ => false,
    };
    let wrong = plan.spans.iter().find(|(key, _)| plan.optimizer.driver.is_some() && is_wrong(key));
    let Some((key, span)) = wrong else { return Ok(()) };
    let name = &plan.optimizer.name;
    let message = match key.as_str() {
        "batch" => format!("`{name}` takes all training rows at once"),
        _ => format!("`{name}` searches along a line and needs no `{key}`"),
    };
    let diagnostic = Diagnostic::error(message).at(*span, "leave this out");
    Err(Error::input(match plan.optimizer.span {
        Some(place) => diagnostic.and_at(place, "or choose another optimizer"),
        None => diagnostic.hint("or choose an optimizer, such as `optimizer = gd(lr = 0.1)`"),
    }))
}

fn unknown_value(key: &str, span: Span, wanted: &str) -> Error {
    Error::input(Diagnostic::error(format!("`{key}` is {wanted}")).at(span, "this is not"))
}

/// The key is known and new.
fn check_key(
    block: &str,
    key: &str,
    setting: &Setting,
    known: &[&str],
    before: &[(String, Span)],
) -> Result<(), Error> {
    if let Some((_, first)) = before.iter().find(|(name, _)| name == key) {
        let diagnostic = Diagnostic::error(format!("`{key}` is set twice")).at(setting.key.span, "again");
        return Err(Error::name(diagnostic.and_at(*first, "first")));
    }
    if known.contains(&key) {
        return Ok(());
    }
    let diagnostic =
        Diagnostic::error(format!("`{block}` has no setting `{key}`")).at(setting.key.span, "not known");
    if matches!(key, "lr" | "learning_rate" | "rate" | "momentum" | "weight_decay" | "schedule") {
        let hint =
            "that belongs to the optimizer: `optimizer = adam(lr = 0.01)`, or `lr = cosine(0.01)` within";
        return Err(Error::name(diagnostic.hint(hint)));
    }
    let list = format!("the settings are {}", known.join(", "));
    Err(Error::name(match suggest(key, known.iter().copied()) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`? {list}")),
        None => diagnostic.hint(list),
    }))
}

/// Reads the settings of `data`; `list` computes inline lists.
pub(super) fn data(
    unit: &Unit,
    settings: &[Setting],
    inputs: &[String],
    mut list: impl FnMut(Body) -> Result<Vec<f64>, Error>,
) -> Result<DataPlan, Error> {
    let mut plan = DataPlan::default();
    let mut before: Vec<(String, Span)> = Vec::new();
    let keys = ["file", "text", "stride", "standardize", "missing", "header"];
    let known: Vec<&str> = keys.iter().copied().chain(inputs.iter().map(String::as_str)).collect();
    for setting in settings {
        let key = unit.ast.name(setting.key.symbol);
        check_key("data", key, setting, &known, &before)?;
        before.push((key.to_owned(), setting.key.span));
        let span = setting.span;
        if inputs.iter().any(|input| input == key) {
            let source = match &setting.value {
                SettingValue::Expression(body) => Source::Rows(list(*body)?),
                SettingValue::Text(name) => Source::Columns(vec![ColumnPick::Name(name.clone(), span)]),
                SettingValue::Picks(picks) => Source::Columns(picks.iter().cloned().map(column).collect()),
            };
            plan.bindings.push((key.to_owned(), source, span));
            continue;
        }
        let word = match &setting.value {
            SettingValue::Picks(picks) => match picks.as_slice() {
                [Pick::Name(name, _)] => Some(name.as_str()),
                _ => None,
            },
            _ => None,
        };
        match (key, &setting.value, word) {
            ("file", SettingValue::Text(name), _) => plan.file = Some((name.clone(), span)),
            ("file", _, _) => {
                return Err(unknown_value("file", span, "a name in quotes, as in \"data.csv\""));
            }
            ("text", SettingValue::Text(name), _) => plan.text = Some((name.clone(), span)),
            ("text", _, _) => {
                return Err(unknown_value("text", span, "a name in quotes, as in \"tale.txt\""));
            }
            ("stride", SettingValue::Picks(picks), _) => match picks.as_slice() {
                [Pick::Positions(n, end, _)] if *n > 0 && *end == n + 1 => plan.stride = Some(*n),
                _ => return Err(unknown_value("stride", span, "a whole number from 1 on")),
            },
            ("stride", _, _) => return Err(unknown_value("stride", span, "a whole number from 1 on")),
            ("missing", _, Some("refuse")) => plan.missing = Missing::Refuse,
            ("missing", _, Some("drop")) => plan.missing = Missing::Drop,
            ("missing", _, Some("mean")) => plan.missing = Missing::Mean,
            ("missing", _, _) => return Err(unknown_value("missing", span, "refuse, drop or mean")),
            ("header", _, Some("true" | "yes")) => plan.header = Some(true),
            ("header", _, Some("false" | "no")) => plan.header = Some(false),
            ("header", _, _) => return Err(unknown_value("header", span, "true or false")),
            (_, SettingValue::Picks(picks), _) => plan.standardize = standardized(picks, inputs)?,
            _ => return Err(unknown_value("standardize", span, "a list of inputs, as in [x]")),
        }
    }
    Ok(plan)
}

fn standardized(picks: &[Pick], inputs: &[String]) -> Result<Vec<(String, Span)>, Error> {
    let input = |pick: &Pick| match pick {
        Pick::Name(name, span) if inputs.contains(name) => Ok((name.clone(), *span)),
        Pick::Name(name, span) => {
            let diagnostic = Diagnostic::error(format!("`{name}` is no input")).at(*span, "not an input");
            let list = format!("the inputs are {}", inputs.join(", "));
            Err(Error::name(match suggest(name, inputs.iter().map(String::as_str)) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint(list),
            }))
        }
        Pick::Prefix(_, span) | Pick::Names(_, _, span) | Pick::Positions(_, _, span) => {
            Err(unknown_value("standardize", *span, "a list of inputs, as in [x]"))
        }
    };
    picks.iter().map(input).collect()
}

fn column(pick: Pick) -> ColumnPick {
    match pick {
        Pick::Name(name, span) => ColumnPick::Name(name, span),
        Pick::Prefix(prefix, span) => ColumnPick::Prefix(prefix, span),
        Pick::Names(from, to, span) => ColumnPick::Names(from, to, span),
        Pick::Positions(from, to, span) => ColumnPick::Positions(from, to, span),
    }
}

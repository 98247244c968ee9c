//! Printing: what every notation writes for the expressions people meet, that parentheses are
//! there exactly when needed, that no text explodes; and the graph's own text form both ways.

use symdiff::ir::{
    Builder, DType, Elementwise, Expr, Function, Graph, Id, Number, Real, Scalar, Selection, Shape, Type,
    text,
};
use symdiff::print::{Format, Label, Notation, Printed, number, print, render};

fn printed(notation: Notation, build: impl for<'g> Fn(&'g Builder) -> Expr<'g>) -> String {
    let b = Builder::new();
    let id = build(&b).id();
    let Printed { definitions, outputs } = print(&b.into_graph(), &[id], notation);
    assert!(definitions.is_empty(), "{definitions:?}");
    outputs.concat()
}

#[track_caller]
fn check(expect: &str, build: impl for<'g> Fn(&'g Builder) -> Expr<'g>) {
    assert_eq!(printed(Notation::Text, build), expect);
}

#[track_caller]
fn check_unicode(expect: &str, build: impl for<'g> Fn(&'g Builder) -> Expr<'g>) {
    assert_eq!(printed(Notation::Unicode, build), expect);
}

#[track_caller]
fn check_latex(expect: &str, build: impl for<'g> Fn(&'g Builder) -> Expr<'g>) {
    assert_eq!(printed(Notation::Latex, build), expect);
}

#[track_caller]
fn check_mathml(expect: &str, build: impl for<'g> Fn(&'g Builder) -> Expr<'g>) {
    assert_eq!(printed(Notation::Mathml, build), expect);
}

fn x(b: &Builder) -> Expr<'_> {
    b.variable("x")
}

fn y(b: &Builder) -> Expr<'_> {
    b.variable("y")
}

fn z(b: &Builder) -> Expr<'_> {
    b.variable("z")
}

fn ratio(b: &Builder, p: i64, q: i64) -> Expr<'_> {
    b.integer(p) / b.integer(q)
}

fn all(graph: Graph, outputs: Vec<Id>) -> Function {
    let inputs = graph.symbols().collect();
    Function::new(graph, inputs, outputs)
}

#[test]
fn derivatives_read_as_people_write_them() {
    check("2*x*cos(x^2)", |b| 2.0 * x(b) * x(b).square().cos());
    check("2*x*cos(x^2)", |b| 2.0 * (x(b) * x(b).square().cos()));
    check("12*x^3 - 4*x", |b| 12.0 * x(b).powi(3) - 4.0 * x(b));
    check("x^x*(log(x) + 1)", |b| x(b).pow(x(b)) * (x(b).log() + 1.0));
    check("2*exp(2*x + 1)", |b| 2.0 * (2.0 * x(b) + 1.0).exp());
    check("2*x + 3*y", |b| 2.0 * x(b) + 3.0 * y(b));
    check("y*cos(x*y) + 2", |b| y(b) * (x(b) * y(b)).cos() + 2.0);
    check("-sin(x)", |b| -x(b).sin());
    check("e^x", |b| b.integer(1).exp().pow(x(b)));
    check("e", |b| b.integer(1).exp());
    check("exp(1)*e", |b| b.integer(1).exp() * b.variable("e"));
    check("2*pi", |b| 2.0 * x(b).pi());
    check("abs(x) + sqrt(x) + sign(x)", |b| x(b).abs() + x(b).sqrt() + x(b).sign());
    check("atan2(y, x)", |b| y(b).atan2(x(b)));
}

#[test]
fn parentheses_stand_where_they_are_needed_and_nowhere_else() {
    check("a - (b - c)", |b| b.variable("a") - (b.variable("b") - b.variable("c")));
    check("x - y - z", |b| x(b) - y(b) - z(b));
    check("x + (y + z)", |b| x(b) + (y(b) + z(b)));
    check("-(x + y)", |b| -(x(b) + y(b)));
    check("(-x)^2", |b| (-x(b)).square());
    check("-x^2", |b| -x(b).square());
    check("2^(-x)", |b| b.integer(2).pow(-x(b)));
    check("x^(1/3)", |b| x(b).pow(ratio(b, 1, 3)));
    check("(1/3)^x", |b| ratio(b, 1, 3).pow(x(b)));
    check("(-2)^x", |b| b.integer(-2).pow(x(b)));
    check("x^y^z", |b| x(b).pow(y(b).pow(z(b))));
    check("(x^y)^z", |b| x(b).pow(y(b)).pow(z(b)));
    check("x^(y*z)", |b| x(b).pow(y(b) * z(b)));
    check("x*(y + z)", |b| x(b) * (y(b) + z(b)));
    check("(x + y)*z", |b| (x(b) + y(b)) * z(b));
    check("(x + y)/(x - y)", |b| (x(b) + y(b)) / (x(b) - y(b)));
    check("sin(x)^2", |b| x(b).sin().square());
    check("x*y*z", |b| x(b) * (y(b) * z(b)));
}

#[test]
fn quotients_have_one_bar() {
    check("x/2", |b| ratio(b, 1, 2) * x(b));
    check("3*x/2", |b| ratio(b, 3, 2) * x(b));
    check("3*x*y/2", |b| ratio(b, 3, 2) * x(b) * y(b));
    check("-x/2", |b| ratio(b, -1, 2) * x(b));
    check("-x/2", |b| -x(b) / 2.0);
    check("-x^2/2", |b| ratio(b, -1, 2) * x(b).square());
    check("x/(2*y)", |b| x(b) / (2.0 * y(b)));
    check("3*x/(2*y)", |b| ratio(b, 3, 2) * x(b) / y(b));
    check("x/(6*y)", |b| ratio(b, 1, 2) * x(b) / (3.0 * y(b)));
    check("x/y/z", |b| x(b) / y(b) / z(b));
    check("x/(y/z)", |b| x(b) / (y(b) / z(b)));
    check("x*(y/z)", |b| x(b) * (y(b) / z(b)));
    check("2*x/y", |b| 2.0 * (x(b) / y(b)));
    check("x/(y/2)", |b| x(b) / (ratio(b, 1, 2) * y(b)));
    check("1/x", |b| x(b).powi(-1));
    check("1/x^2", |b| x(b).powi(-2));
    check("1/sqrt(1 - x^2)", |b| (1.0 - x(b).square()).sqrt().recip());
    check("y/x^2", |b| y(b) * x(b).powi(-2));
    check("-2/(3*x*y^2)", |b| ratio(b, -2, 3) * x(b).powi(-1) * y(b).powi(-2));
    check("1/x^(1/2)", |b| x(b).pow(ratio(b, -1, 2)));
    check("1/(1 + x^2)", |b| (x(b).one() + x(b).square()).recip());
    check("0/0", |b| b.constant(f64::NAN));
    check("-1/0", |b| b.constant(f64::NEG_INFINITY));
}

#[test]
fn signs_stand_between_terms_once() {
    check("x - y", |b| x(b) + -y(b));
    check("x - 2*y", |b| x(b) + -2.0 * y(b));
    check("x - y/2", |b| x(b) + ratio(b, -1, 2) * y(b));
    check("x - 3", |b| x(b) + -3.0);
    check("-x + y", |b| -x(b) + y(b));
    check("x - (y + z)", |b| x(b) + -(y(b) + z(b)));
    check("x + y", |b| x(b) - -y(b));
    check("-x*y", |b| x(b) * -y(b));
    check("x*y", |b| -x(b) * -y(b));
    check("1 - x + y", |b| 1.0 - x(b) + y(b));
}

#[test]
fn constants_are_exact() {
    check("1/3", |b| ratio(b, 1, 3));
    check("-1/3", |b| ratio(b, -1, 3));
    check("x + 1/2", |b| x(b) + 0.5);
    check("x + 0.044715*x^3", |b| x(b) + 0.044715 * x(b).powi(3));
    check("sigmoid(1.702*x)", |b| (1.702 * x(b)).sigmoid());
    check("x/101", |b| ratio(b, 1, 101) * x(b));
    check("1e-20*x", |b| 1e-20 * x(b));
    check("x/1e-20", |b| x(b) / 1e-20);
    let mut g = Graph::new();
    let big = g.exact(Number::from_decimal("123456789012345678901234567890").expect("a number"));
    assert_eq!(print(&g, &[big], Notation::Text).outputs, ["123456789012345678901234567890"]);
}

#[test]
fn choices_and_comparisons() {
    fn if_positive(b: &Builder) -> Expr<'_> {
        let condition = b.compare(Selection::Less, &[b.integer(0), x(b)]);
        b.select(condition, b.integer(1), b.integer(0))
    }
    check("if(x > 0, 1, 0)", if_positive);
    check_unicode("if(x > 0, 1, 0)", if_positive);
    check_latex(r"\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}", if_positive);
    check("x < y", |b| b.compare(Selection::Less, &[x(b), y(b)]));
    check("x >= 2", |b| b.compare(Selection::LessEqual, &[b.integer(2), x(b)]));
    check_unicode("x ≥ 2", |b| b.compare(Selection::LessEqual, &[b.integer(2), x(b)]));
    check("x == 2", |b| b.compare(Selection::Equal, &[b.integer(2), x(b)]));
    fn between(b: &Builder) -> Expr<'_> {
        let below = b.compare(Selection::Less, &[x(b), b.integer(1)]);
        let above = b.compare(Selection::NotEqual, &[x(b), b.integer(0)]);
        b.compare(Selection::And, &[below, b.compare(Selection::Not, &[above])])
    }
    check("and(x < 1, not(x != 0))", between);
    check_latex(r"\left(x < 1\right) \land \left(\lnot \left(x \neq 0\right)\right)", between);
    check("2*if(x < 1, x, if(x < 2, y, z)) + 1", |b| {
        let first = b.compare(Selection::Less, &[x(b), b.integer(1)]);
        let second = b.compare(Selection::Less, &[x(b), b.integer(2)]);
        2.0 * b.select(first, x(b), b.select(second, y(b), z(b))) + 1.0
    });
}

fn matrix<'g>(b: &'g Builder, name: &str, rows: u32, columns: u32) -> Expr<'g> {
    b.reshape(b.vector(name, rows * columns), &Shape::new([rows, columns]))
}

#[test]
fn vectors_have_brackets_and_indices() {
    check("[x, y + 1]", |b| b.stack(&[x(b), y(b) + 1.0]));
    check("[[x, y], [y, x]]", |b| b.stack(&[b.stack(&[x(b), y(b)]), b.stack(&[y(b), x(b)])]));
    check("[[x, y], [z, x]]", |b| b.reshape(b.stack(&[x(b), y(b), z(b), x(b)]), &Shape::new([2, 2])));
    check("[[[x], [y]], [[z], [x]]]", |b| {
        b.reshape(b.stack(&[x(b), y(b), z(b), x(b)]), &Shape::new([2, 2, 1]))
    });
    check("v[0]*v[2]^2", |b| {
        let v = b.vector("v", 3);
        b.pick(v, 0) * b.pick(v, 2).square()
    });
    check("v[1:3]", |b| b.slice(b.vector("v", 3), 0, 1, 2));
    check("(2*v)[1]", |b| b.pick(2.0 * b.vector("v", 3), 1));
    check("a @ b", |b| b.contract(b.vector("a", 3), b.vector("b", 3), 1));
    check_unicode("a·b", |b| b.contract(b.vector("a", 3), b.vector("b", 3), 1));
    check_latex(r"\mathbf{a} \cdot \mathbf{b}", |b| b.contract(b.vector("a", 3), b.vector("b", 3), 1));
    check("outer(a, b)", |b| b.contract(b.vector("a", 3), b.vector("b", 3), 0));
    check("reshape(m, [2, 3])'", |b| b.permute(matrix(b, "m", 2, 3), 0x01));
    check("2*v + 1", |b| 2.0 * b.vector("v", 3) + 1.0);
    check_unicode("2×v", |b| 2.0 * b.vector("v", 3));
    check("sum(v^2)", |b| b.sum(b.vector("v", 3).square(), 1));
    check("broadcast(x, [3])", |b| b.broadcast(x(b), 1, &Shape::new([3])));
    check("pad(v, 0, 1, 5)", |b| b.pad(b.vector("v", 3), 0, 1, 5));
    check_latex(r"\begin{bmatrix} x \\ y \end{bmatrix}", |b| b.stack(&[x(b), y(b)]));
    check_latex(r"\begin{bmatrix} x & y \\ y & x \end{bmatrix}", |b| {
        b.stack(&[b.stack(&[x(b), y(b)]), b.stack(&[y(b), x(b)])])
    });
}

#[test]
fn elements_of_matrices_have_two_indices() {
    let mut g = Graph::new();
    let ty = g.type_id(Type::new(DType::F64, Shape::new([2, 3])));
    let w = g.input_of("W", ty);
    let parts = symdiff::ir::elements(&mut g, &[w]).concat();
    let texts = print(&g, &parts, Notation::Text).outputs;
    assert_eq!(texts.join(" "), "W[0, 0] W[0, 1] W[0, 2] W[1, 0] W[1, 1] W[1, 2]");
    let transposed = g.permute(w, 0x01);
    assert_eq!(print(&g, &[transposed], Notation::Text).outputs, ["W'"]);
    assert_eq!(print(&g, &[transposed], Notation::Unicode).outputs, ["Wᵀ"]);
}

#[test]
fn unicode_raises_exponents_and_roots() {
    check_unicode("2·x·cos(x²)", |b| 2.0 * x(b) * x(b).square().cos());
    check_unicode("x⁻¹", |b| x(b).powi(-1));
    check_unicode("x⁻¹² + 1", |b| x(b).powi(-12) + 1.0);
    check_unicode("y/x²", |b| y(b) * x(b).powi(-2));
    check_unicode("(x²)²", |b| x(b).square().square());
    check_unicode("x^y²", |b| x(b).pow(y(b).square()));
    check_unicode("(x²)^y", |b| x(b).square().pow(y(b)));
    check_unicode("x^(1/3)", |b| x(b).pow(ratio(b, 1, 3)));
    check_unicode("√x", |b| x(b).sqrt());
    check_unicode("√(x + 1)", |b| (x(b) + 1.0).sqrt());
    check_unicode("(√x)²", |b| x(b).sqrt().square());
    check_unicode("√(x + 1)²", |b| (x(b) + 1.0).sqrt().square());
    check_unicode("√(x²)", |b| x(b).square().sqrt());
    check_unicode("√2·∛x", |b| b.integer(2).sqrt() * x(b).cbrt());
    check_unicode("|x|·|y - 1|", |b| x(b).abs() * (y(b) - 1.0).abs());
    check_unicode("π·x", |b| x(b).pi() * x(b));
}

#[test]
fn latex_is_set_as_in_books() {
    check_latex(r"2 x \cos\left(x^{2}\right)", |b| 2.0 * x(b) * x(b).square().cos());
    check_latex(r"\sin^{2}\left(x\right)", |b| x(b).sin().square());
    check_latex(r"\frac{3 x}{2}", |b| ratio(b, 3, 2) * x(b));
    check_latex(r"-\frac{x^{2}}{2}", |b| ratio(b, -1, 2) * x(b).square());
    check_latex(r"\frac{1}{\sqrt{1 - x^{2}}}", |b| (1.0 - x(b).square()).sqrt().recip());
    check_latex(r"\left(\frac{x}{y}\right)^{2}", |b| (x(b) / y(b)).square());
    check_latex(r"x \frac{y}{z}", |b| x(b) * (y(b) / z(b)));
    check_latex(r"x \left(y + z\right)", |b| x(b) * (y(b) + z(b)));
    check_latex(r"2 e^{2 x + 1}", |b| 2.0 * (2.0 * x(b) + 1.0).exp());
    check_latex(r"\left(e^{x}\right)^{2}", |b| x(b).exp().square());
    check_latex(r"\sigma\left(x\right)", |b| x(b).sigmoid());
    check_latex(r"\left|x\right|", |b| x(b).abs());
    check_latex(r"2 \cdot 3^{x}", |b| 2.0 * b.integer(3).pow(x(b)));
    check_latex(r"\alpha x_{1} + \theta_{i} w_{\mathrm{out}}", |b| {
        b.variable("alpha") * b.variable("x1") + b.variable("theta_i") * b.variable("w_out")
    });
    check_latex(r"\mathrm{price}", |b| b.variable("price"));
    check_latex(r"\mathrm{a\$b\_}", |b| b.variable("a$b_") + 0.0);
    check_latex(r"v_{1}", |b| b.pick(b.vector("v", 3), 1));
    check_latex(r"{v_{2}}_{1}", |b| b.pick(b.vector("v2", 3), 1));
    check_latex(r"1 \cdot 10^{-20} x", |b| 1e-20 * x(b));
}

#[test]
fn mathml_is_well_formed_and_escaped() {
    check_mathml("<mfrac><mn>1</mn><msup><mi>x</mi><mn>2</mn></msup></mfrac>", |b| x(b).powi(-2));
    check_mathml("<mi>a&lt;b&amp;</mi>", |b| b.variable("a<b&"));
    check_mathml("<msub><mi>θ</mi><mn>1</mn></msub>", |b| b.variable("theta1"));
    check_mathml(
        "<mrow><mi>sin</mi><mo>&#x2061;</mo><mrow><mo>(</mo><mrow><mn>2</mn><mo>&#x2062;</mo><mi>x</mi></mrow><mo>)</mo></mrow></mrow>",
        |b| (2.0 * x(b)).sin(),
    );
    let everything = printed(Notation::Mathml, |b| {
        let condition = b.compare(Selection::Less, &[b.integer(0), x(b)]);
        let chosen = b.select(condition, x(b).sqrt() - 1.5, x(b).cbrt().abs());
        b.stack(&[chosen.square() * y(b), x(b).exp().square() / (x(b) - y(b)), 1e-30 * x(b)])
    });
    assert_well_formed(&everything);
}

/// Every opened element is closed in order, and no stray signs stand in the text.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    for (i, tag) in xml.split('<').enumerate().skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "tag {i}");
        match tag.strip_prefix('/') {
            Some(tag) => assert_eq!(open.pop(), Some(tag), "tag {i}"),
            None => open.push(tag.split(' ').next().expect("a name")),
        }
    }
    assert!(open.is_empty());
}

#[test]
fn labels_say_which_derivative() {
    let b = Builder::new();
    let (fx, fy) = (2.0 * x(&b) + 3.0 * y(&b), 3.0 * x(&b) + 2.0 * y(&b));
    let (fx, fy) = (fx.id(), fy.id());
    let f = all(b.into_graph(), vec![fx, fy]);
    let wrt = |name: &str| Label::Partial { wrt: name.to_owned(), order: 1 };
    let labels = [wrt("x"), wrt("y")];
    assert_eq!(render(&f, &labels, Format::Text), "∂/∂x = 2*x + 3*y\n∂/∂y = 3*x + 2*y");
    assert_eq!(render(&f, &labels, Format::Unicode), "∂/∂x = 2·x + 3·y\n∂/∂y = 3·x + 2·y");
    assert_eq!(
        render(&f, &labels[..1], Format::Latex),
        "\\frac{\\partial}{\\partial x} = 2 x + 3 y\n3 x + 2 y"
    );
    assert_eq!(f.to_string(), "2*x + 3*y\n3*x + 2*y");
    let mathml = render(&f, &labels, Format::Mathml);
    mathml.lines().for_each(assert_well_formed);
    assert!(mathml.starts_with(
        "<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mrow><mfrac><mrow><mo>∂</mo></mrow>"
    ));

    let text = |label: Label| label.text(Notation::Text).unwrap_or_default();
    assert_eq!(text(Label::Partial { wrt: "x[0]".into(), order: 3 }), "∂³/∂x[0]³");
    assert_eq!(text(Label::SecondPartial { a: "x".into(), b: "y".into() }), "∂²/∂x∂y");
    assert_eq!(text(Label::SecondPartial { a: "x".into(), b: "x".into() }), "∂²/∂x²");
    assert_eq!(text(Label::Component { of: "f2".into(), wrt: "y".into() }), "∂f2/∂y");
    assert_eq!(text(Label::Entry { row: 0, column: 1 }), "[0, 1]");
    assert_eq!(text(Label::Named("f".into())), "f");
    assert_eq!(text(Label::None), "");
    let latex = |label: Label| label.text(Notation::Latex).unwrap_or_default();
    assert_eq!(
        latex(Label::SecondPartial { a: "x1".into(), b: "alpha".into() }),
        r"\frac{\partial^{2}}{\partial x_{1} \, \partial \alpha}"
    );
}

#[test]
fn json_lists_the_graph_in_order() {
    let b = Builder::new();
    let id = (ratio(&b, 1, 2) * b.variable("a\"b").sin()).id();
    let f = all(b.into_graph(), vec![id]);
    let expect = r#"{"schema":1,"inputs":[{"name":"a\"b","shape":[]}],"outputs":[{"name":"f","text":"sin(a\"b)/2","node":3}],"definitions":[],"nodes":[{"id":0,"op":"const","value":"1/2"},{"id":1,"op":"input","name":"a\"b"},{"id":2,"op":"sin","args":[1]},{"id":3,"op":"mul","args":[0,2]}]}"#;
    assert_eq!(render(&f, &[Label::Named("f".into())], Format::Json), expect);
    let b = Builder::new();
    let id = b.slice(b.vector("v", 3), 0, 1, 2).id();
    let json = render(&all(b.into_graph(), vec![id]), &[], Format::Json);
    assert!(
        json.contains(
            r#"{"id":1,"op":"slice","args":[0],"axis":0,"start":1,"length":2,"type":"f64","shape":[2]}"#
        ),
        "{json}"
    );
    assert!(json.contains(r#""outputs":[{"name":null,"#), "{json}");
}

#[test]
fn dot_draws_inputs_as_boxes() {
    let b = Builder::new();
    let id = (x(&b) - 2.0).id();
    let f = all(b.into_graph(), vec![id]);
    let expect = "digraph symdiff {\n  node [shape=ellipse];\n  n0 [label=\"x\", shape=box];\n  n1 [label=\"2\", shape=plaintext];\n  n2 [label=\"sub\"];\n  n0 -> n2 [label=\"0\"];\n  n1 -> n2 [label=\"1\"];\n  out0 [shape=doubleoctagon, label=\"output 0\"];\n  n2 -> out0;\n}";
    assert_eq!(render(&f, &[], Format::Dot), expect);
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("pdf".parse::<Format>().expect_err("unknown").to_string().contains("text, unicode"));
    assert_eq!(number(0.1 + 0.2), "0.30000000000000004");
}

#[test]
fn sharing_keeps_exponential_expressions_small() {
    let b = Builder::new();
    let mut f = x(&b);
    for _ in 0..60 {
        f = f * f + f;
    }
    let function = all(b.snapshot(), vec![f.id()]);
    let text = function.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["t1 = x*x + x", "t2 = t1*t1 + t1"]);
    assert_eq!(lines.len(), 60);
    assert_eq!(lines[59], "t59*t59 + t59");
    for format in Format::ALL {
        assert!(render(&function, &[], format).len() < 20_000, "{}", format.name());
    }
    // Small sharing is written out.
    check("sin(x^2)*cos(x^2)", |b| x(b).square().sin() * x(b).square().cos());
}

#[test]
fn names_of_shared_parts_are_no_inputs() {
    let b = Builder::new();
    let mut f = b.variable("t7") + b.variable("s₁");
    for _ in 0..12 {
        f = f * f + f;
    }
    let text = all(b.snapshot(), vec![f.id()]).to_string();
    assert!(text.starts_with("u1 = t7 + s₁\n") || text.starts_with("u1 = (t7 + s₁)"), "{text}");
}

#[test]
fn outputs_share_names() {
    let b = Builder::new();
    let mut sum = x(&b);
    for i in 0..100 {
        sum = (sum + f64::from(i)).sin();
    }
    let outputs = [sum.id(), sum.cos().id()];
    let printed = print(&b.snapshot(), &outputs, Notation::Text);
    assert_eq!(printed.definitions.len(), 1);
    let graph = b.into_graph();
    assert_eq!(print(&graph, &[], Notation::Text), Printed::default());
    let ids: Vec<Id> = graph.ids().take(1).collect();
    assert_eq!(print(&graph, &ids, Notation::Text).outputs, ["x"]);
}

const MANY: usize = 100_000;

/// The expression is written in the formats with a small stack; in several, also as a graph.
fn writes(formats: &'static [Format], build: fn(&Builder) -> Expr<'_>) {
    let small_stack = std::thread::Builder::new().stack_size(256 * 1024);
    let thread = small_stack.spawn(move || {
        let b = Builder::new();
        let id = build(&b).id();
        let f = all(b.into_graph(), vec![id]);
        for &format in formats {
            assert!(render(&f, &[], format).len() > MANY);
        }
        if formats.len() > 1 {
            let written = text::write(&f);
            assert_eq!(text::write(&text::read(&written).expect("reads back")), written);
        }
    });
    thread.expect("a thread").join().expect("no panic");
}

#[test]
fn deep_expressions_print() {
    const TEXT: &[Format] = &[Format::Text];
    writes(&Format::ALL, |b| (0..MANY).fold(x(b), |f, _| f.sin()));
    writes(TEXT, |b| (0..MANY).fold(x(b), |f, _| 1.0 / (f + 2.0)));
    writes(TEXT, |b| (0..MANY).fold(x(b), |f, _| y(b) * -f));
    writes(TEXT, |b| (0..MANY).fold(x(b), |f, _| y(b).pow(f)));
    writes(&[Format::Latex], |b| (0..MANY).fold(x(b), |f, _| y(b) - f));
    writes(&[Format::Mathml], |b| {
        (0..MANY)
            .fold(x(b), |f, i| b.select(b.compare(Selection::Less, &[x(b), b.integer(i as i64)]), y(b), f))
    });
}

#[test]
fn wide_expressions_print() {
    writes(&Format::ALL, |b| (1..MANY).fold(x(b), |f, i| f + b.variable(&format!("x{i}"))));
    writes(&[Format::Unicode], |b| (1..MANY).fold(x(b), |f, i| f * b.variable(&format!("x{i}"))));
    writes(&[Format::Text], |b| {
        let all: Vec<Expr> = (0..MANY).map(|i| b.variable(&format!("x{i}"))).collect();
        b.stack(&all)
    });
}

#[test]
fn graph_text_reads_back_as_the_same_nodes() {
    let mut g = Graph::new();
    let (v3, m) = (Shape::new([3]), Shape::new([2, 3]));
    let (tv, tm) =
        (g.type_id(Type::new(DType::F64, v3.clone())), g.type_id(Type::new(DType::F64, m.clone())));
    let (v, w, x) = (g.input_of("v", tv), g.input_of("weird \"name\"\n", tm), g.input("x"));
    let third = g.exact(Number::ratio(-1, 3).expect("not zero"));
    let wv = g.contract(w, v, 1);
    let padded = g.pad(wv, 0, 1, 4);
    let cut = g.slice(padded, 0, 1, 3);
    let total = g.apply(Elementwise::Fma, &[cut, v, third]);
    let turned = g.permute(w, 0x01);
    let flat = g.reshape(turned, &Shape::new([6]));
    let (a, c) = (g.sum(flat, 1), g.sum(total, 1));
    let pi = g.apply(Elementwise::Pi, &[]);
    let condition = g.compare(Selection::Less, &[a, pi]);
    let other = g.compare(Selection::Equal, &[x, c]);
    let both = g.compare(Selection::And, &[condition, other]);
    let chosen = g.select(both, a, c);
    let stacked = g.stack(&[chosen, x, third]);
    let f = all(g, vec![stacked, total, v]);
    let written = text::write(&f);
    let back = text::read(&written).expect("reads back");
    assert_eq!(text::write(&back), written);
    assert_eq!(back.input_names().collect::<Vec<_>>(), ["v", "weird \"name\"\n", "x"]);
    assert_eq!(f.outputs().len(), back.outputs().len());
    for (a, b) in f.outputs().iter().zip(back.outputs()) {
        assert_eq!(f.graph().key(*a), back.graph().key(*b));
    }
    assert!(
        written.contains("%3 = const -1/3 : f64\n") || written.contains(" = const -1/3 : f64\n"),
        "{written}"
    );
    assert!(written.contains(" over 1 : f64[2]\n"), "{written}");
}

#[test]
fn graph_text_is_not_folded() {
    let text =
        "%0 = const 1 : f64\n%1 = add %0, %0 : f64\n%2 = neg %1 : f64\n%3 = neg %2 : f64\noutputs %3\n";
    assert_eq!(text::write(&text::read(text).expect("a graph")), text);
}

#[test]
fn garbage_is_refused_not_crashed_on() {
    let good = "%0 = input x : f64[2,2]\n%1 = permute %0 order 1 0 : f64[2,2]\n%2 = sum %1 axes 0 : f64[2]\noutputs %2\n";
    assert!(text::read(good).is_ok());
    let signs = ["", "%", "9", "4294967295", "-", "[", ",", ":", "f64", "\"", "é", "\n", "%0"];
    for at in (0..good.len()).filter(|&at| good.is_char_boundary(at)) {
        for sign in signs {
            for end in [at, at + 1] {
                let _ = text::read(&format!("{}{sign}{}", &good[..at], &good[end.min(good.len())..]));
            }
        }
    }
}

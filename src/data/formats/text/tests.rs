//! Tables of many programs.

use super::super::options::Column;
use super::*;
use crate::error::Error;

fn with(text: &str, layout: Layout) -> Result<Array> {
    decode(Path::new("table.csv"), text.as_bytes(), &layout)
}

fn parse(text: &str) -> Result<Array> {
    with(text, Layout::default())
}

/// What is wrong, and the way out.
fn problem(text: &str, layout: Layout) -> (String, String) {
    let error: Error = with(text, layout).expect_err(text);
    let message = error.to_string();
    (message.trim_start_matches("cannot read `table.csv`: ").to_owned(), error.hint().unwrap_or_default().to_owned())
}

fn named(names: &[&str]) -> Option<Vec<Column>> {
    Some(names.iter().map(|name| Column::Named((*name).to_owned())).collect())
}

#[test]
fn one_table_in_many_dialects() {
    for text in [
        "1,2.5\n-3,4e-3\n",
        "x,y\n1,2.5\n-3,4e-3",
        "1;2.5\r\n-3;4e-3\r\n",
        "\n# exported\n\n1;2.5\n-3;4e-3\n",
        "\r\n1\t2.5\r\n-3\t4e-3\r\n",
        "# made by hand\n1\t2.5\n-3\t4e-3\n",
        "\u{feff}x , y\n 1 , 2.5 \n\n -3 , 4e-3 \n",
        "1,2.5\r-3,4e-3\r",
        "1,2.5 # first\n  \n-3,4e-3\n",
        "1|2.5\n-3|4e-3\n",
        "1,2.5,\n-3,4e-3,\n",
        "x,y,\n1,2.5,\n-3,4e-3,\n",
        "sep=;\n1;2.5\n-3;4e-3\n",
        "% of MATLAB\n1 2.5\n-3 4e-3\n",
        "@ title \"a\"\n@ s0 legend\n# of GROMACS\n 1  2.5\n-3  4e-3\n",
        "  1   2.5\n -3\t 4e-3\n",
        "x y\n1  2.5\n-3  4e-3\n",
        "\u{2212}0001,2.5\n\u{2212}3,4D-03\n".trim_start_matches("\u{2212}000"),
        "\"time\n(ps)\",\"#\"\n1,2.5\n-3,4e-3\n",
    ] {
        let table = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!((table.shape, table.values), (vec![2, 2], vec![1.0, 2.5, -3.0, 4e-3]), "{text:?}");
        assert_eq!(table.notes, [""; 0], "{text:?}");
    }
    let column = parse("x y\n1\n2\n").unwrap();
    assert_eq!((column.shape, column.names), (vec![2, 1], vec!["x y".to_owned()]));
}

#[test]
fn the_first_row_is_never_lost() {
    let shape = |text: &str| parse(text).unwrap().shape;
    assert_eq!(shape("1.0 2.0\n"), [1, 2]);
    assert_eq!(shape("1.0D+00,2.0D+00\n"), [1, 2]);
    assert_eq!(shape("NaN,NaN\n2,3\n"), [2, 2]);
    assert_eq!(problem(",\n2,3\n", Layout::default()).0, "line 1, field 1 is empty");
    assert_eq!(problem("NA,NA\n2,3\n", Layout::default()).0, "line 1, field 1 is `NA`, a missing value");
    let (message, hint) = problem("x,1\n1.5,2.5\n", Layout::default());
    assert_eq!(message, "line 1, field 1 is `x`, not a number");
    assert_eq!(hint, "header: true if line 1 has names, skip: 1 leaves it out, labels: 0 takes the column as labels");
    let (message, hint) = problem("1,1;2,2\n3,3;4,4\n", Layout::default());
    assert_eq!(
        (message.as_str(), hint.as_str()),
        ("line 1, field 1 is `1,1`, not a number", "write decimal: \",\" if a comma stands before the decimals")
    );
    // What may be names although it is numbers is read, and said.
    let years = parse("2019,2020\n1.5,2.5\n3.5,4.5\n").unwrap();
    assert_eq!(years.shape, [3, 2]);
    assert!(years.notes[0].contains("line 1 (2019, 2020) is taken as data"), "{:?}", years.notes);
    assert_eq!(parse("2019,2020\n1,2\n").unwrap().notes, [""; 0]);
    let header = |header| Layout { header: Some(header), ..Layout::default() };
    let table = with("2019,2020\n1.5,2.5\n", header(true)).unwrap();
    assert_eq!((table.shape, table.names), (vec![1, 2], vec!["2019".to_owned(), "2020".to_owned()]));
    assert_eq!(with("2019,2020\n1.5,2.5\n", header(false)).unwrap().notes, [""; 0]);
    assert_eq!(problem("x,y\n1,2\n", header(false)).0, "line 1, field 1 is `x`, not a number");
}

#[test]
fn columns_and_labels() {
    let text = "x,y,species\n1,2,setosa\n3,4,virginica\n";
    let (message, hint) = problem(text, Layout::default());
    assert_eq!(message, "line 2, field 3 (`species`) is `setosa`, not a number");
    assert!(hint.contains("labels: \"species\" takes this one as labels"), "{hint}");
    let species = Some(Column::Named("species".into()));
    let table = with(text, Layout { labels: species, ..Layout::default() }).unwrap();
    assert_eq!((table.shape, table.values), (vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!((table.names, table.labels), (vec!["x".into(), "y".into()], vec!["setosa".into(), "virginica".into()]));
    let picked = with(text, Layout { columns: named(&["y", "x"]), ..Layout::default() }).unwrap();
    assert_eq!((picked.values, picked.names), (vec![2.0, 1.0, 4.0, 3.0], vec!["y".to_owned(), "x".to_owned()]));
    let at = |places: &[i64]| Some(places.iter().map(|&at| Column::At(at)).collect());
    assert_eq!(with(text, Layout { columns: at(&[-2]), ..Layout::default() }).unwrap().values, [2.0, 4.0]);
    // The names may stand in a comment, as NumPy writes them.
    let noted = with("# x, y\n1,2\n", Layout { columns: named(&["y"]), ..Layout::default() }).unwrap();
    assert_eq!(noted.values, [2.0]);
    let wrong = |layout| problem(text, layout);
    assert_eq!(wrong(Layout { columns: named(&["xx"]), ..Layout::default() }).1, "did you mean `x`?");
    assert!(
        wrong(Layout { columns: at(&[3]), ..Layout::default() }).0.contains("has 3, and `table.csv` has 3 columns")
    );
    let nameless = problem("1,2\n", Layout { columns: named(&["x"]), ..Layout::default() });
    assert!(nameless.0.contains("has no line of names"), "{nameless:?}");
    // Classes that are numbers are read as a coordinate, and that is said.
    let classes = parse("x,Class\n1.5,0\n2.5,1\n").unwrap();
    assert!(
        classes.notes[0].ends_with("column `Class` is taken as a coordinate: labels: \"Class\" takes it as labels")
    );
    // An index that a data frame wrote on the way is no coordinate.
    let index = parse(",x,y\n0,1.5,2.5\n1,3.5,4.5\n").unwrap();
    assert!(index.notes[0].contains("columns: [\"x\", \"y\"] would leave it out"), "{:?}", index.notes);
}

#[test]
fn other_ways_to_write() {
    let comma = || Layout { decimal_comma: true, ..Layout::default() };
    for text in ["1,5;2,5\n", "x;y\n1,5;2,5\n", "1,5\t2,5\n", "1,5 2,5\n"] {
        assert_eq!(with(text, comma()).unwrap().values, [1.5, 2.5], "{text}");
    }
    assert_eq!(with("1,5\n2,5\n", comma()).unwrap().shape, [2, 1]);
    assert_eq!(with("\"1,5\",\"2,5\"\n", comma()).unwrap().values, [1.5, 2.5]);
    let units = Layout { skip: 2, ..Layout::default() };
    assert_eq!(with("x,y\nnm,ps\n1,2\n", units.clone()).unwrap().values, [1.0, 2.0]);
    // Lines are counted from the top of the file.
    assert_eq!(problem("x,y\nnm,ps\n1,b\n", units).0, "line 3, field 2 is `b`, not a number");
    let marked = Layout { comment: Some("//".into()), ..Layout::default() };
    assert_eq!(with("// made\n1,2 // first\n", marked).unwrap().values, [1.0, 2.0]);
    let plain = |delimiter: &str| Layout { delimiter: Some(delimiter.into()), ..Layout::default() };
    assert_eq!(with("1:2\n", plain(":")).unwrap().values, [1.0, 2.0]);
    assert_eq!(with("1 \t 2\n", plain(" ")).unwrap().values, [1.0, 2.0]);
    assert!(problem("1,2\n", plain(", ")).0.contains("`delimiter` must be one character"));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let problem = |text: &str| problem(text, Layout::default()).0;
    assert_eq!(problem(""), "it holds no numbers");
    assert_eq!(problem("x,y\n"), "it holds no numbers");
    assert_eq!(problem("1,2\n3\n"), "line 2 has 1 field, line 1 has 2 fields");
    assert_eq!(problem("Run of May\n1,2\n3,4\n"), "line 2 has 2 fields, line 1 has 1 field");
    assert_eq!(problem("x,y\n1,2\n3,\n"), "line 3, field 2 (`y`) is empty");
    assert_eq!(problem("1,2\n3,abc\n"), "line 2, field 2 is `abc`, not a number");
    assert_eq!(problem("1,abc\n3,4\n"), "line 1, field 2 is `abc`, not a number");
    assert_eq!(problem("x,y\n\"1,2\n3,4\n"), "a quotation mark in line 2 is not closed in it");
    assert_eq!(problem("1,1e400\n"), "line 1, field 2 is `1e400`, beyond double precision");
    assert_eq!(problem("1,\"1,234.5\"\n"), "line 1, field 2 is `1,234.5`, not a number");
    assert_eq!(problem("x,y\nnm,ps\n1,2\n"), "line 2, field 1 (`x`) is `nm`, not a number");
    assert_eq!(problem("1,2\n3,4\n\0\0"), "line 3 has 1 field, line 1 has 2 fields");
    assert_eq!(problem("1,2\n3,4\0\n"), "line 2, field 2 is `4\\u{0}`, not a number");
}

#[test]
fn a_table_has_two_axes() {
    let cube = Tensor::new(&[1, 1, 1], vec![0.0]).unwrap();
    let problem = encode(Path::new("table.csv"), &cube, ",", Vec::new()).unwrap_err().to_string();
    assert!(problem.contains("the tensor has shape [1, 1, 1]"), "{problem}");
}

/// Seen to be rounded without a word.
#[test]
fn whole_numbers_that_lose_digits_are_said() {
    assert!(parse("1,2\n3,9007199254740993\n").unwrap().notes[0].contains("are rounded to those of double precision"));
    assert_eq!(parse("1,2\n3,9007199254740991\n").unwrap().notes, [""; 0]);
    assert_eq!(parse("1,2\n3,1e300\n").unwrap().notes, [""; 0]);
}

//! Tables for spreadsheets: CSV (RFC 4180) whose cells no spreadsheet takes for a formula.

use super::message::Response;
use super::problem::Problem;

/// What a spreadsheet may take for the beginning of a formula (OWASP, CSV injection).
const FORMULA_BEGINS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A table under way.
pub struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    /// With the names of its columns.
    pub fn new(columns: &[&str]) -> Result<Self, Problem> {
        let mut table =
            Self(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new()));
        table.row(columns)?;
        Ok(table)
    }

    /// One more row.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> Result<(), Problem> {
        let cells = cells.iter().map(|cell| defused(cell.as_ref()));
        self.0.write_record(cells).map_err(|error| Problem::internal(error.to_string()))
    }

    /// As an answer that is saved under `name`.
    pub fn answer(self, name: &str) -> Result<Response, Problem> {
        let bytes = self.0.into_inner().map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Response::new(200, "text/csv; charset=utf-8; header=present", bytes)
            .with_header("Content-Disposition", &format!("attachment; filename=\"{name}\""))
            .with_header("Cache-Control", "no-store")
            .with_header("X-Content-Type-Options", "nosniff"))
    }
}

/// With an apostrophe before what could be a formula: spreadsheets show the rest as text.
fn defused(cell: &str) -> String {
    if cell.starts_with(FORMULA_BEGINS) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::message::Body;
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let mut csv = Csv::new(&["name"]).unwrap();
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "Jo \"the\" =x", "a,b", ""] {
            csv.row(&[cell]).unwrap();
        }
        let Body::Bytes(bytes) = csv.answer("x.csv").unwrap().body else { panic!() };
        let text = String::from_utf8(bytes).unwrap();
        let wanted = "name\r\n'=1+1\r\n'+1\r\n'-1\r\n'@SUM(A1)\r\n'\t=1\r\n\"'\r=1\"\r\n\"Jo \"\"the\"\" =x\"\r\n\"a,b\"\r\n\"\"\r\n";
        assert_eq!(text, wanted);
    }
}

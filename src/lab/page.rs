//! The page of a lab: one HTML file with the simulator and the files of the lab inside.
//!
//! `web/build` makes the template: this file without a lab. [`page`] puts a lab into the template.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Lab;
use super::failure::Failure;

/// The place in the template for the data of the lab. The data replaces `null`.
const PLACE: &str = "<script type=\"application/json\" id=\"lab\">null</script>";
/// The part of the content security policy that permits no connection to a server.
const OFFLINE: &str = "connect-src 'none'";
/// The seed of the simulator in a page.
const SEED: u64 = 1;

/// The data of a lab in its page.
#[derive(Serialize)]
struct LabData<'a> {
    name: &'a str,
    files: BTreeMap<&'a str, &'a str>,
    seed: u64,
}

/// Returns the page of a lab: the template with the files of the lab inside.
///
/// # Errors
/// The template has no place for a lab: it is not a page that `web/build` made.
pub fn page(template: &str, lab: &Lab) -> Result<String, Failure> {
    let mut files: BTreeMap<&str, &str> = lab.texts().collect();
    files.insert("lab.toml", &lab.file.text);
    filled(template, &LabData { name: &lab.name, files, seed: SEED })
}

/// The data of a live page.
#[derive(Serialize)]
struct LiveData<'a> {
    name: &'a str,
    live: Server<'a>,
}

/// The server of a live page.
#[derive(Serialize)]
struct Server<'a> {
    url: &'a str,
    token: &'a str,
}

/// Returns the page of a lab that is up: the template with the address and the token of its server.
/// Such a page may connect only to this server.
///
/// # Errors
/// The template is not a page that `web/build` made.
pub fn live(template: &str, name: &str, url: &str, token: &str) -> Result<String, Failure> {
    let page = filled(template, &LiveData { name, live: Server { url, token } })?;
    if page.matches(OFFLINE).count() != 1 {
        let problem = "the page has no content security policy: make it again with web/build";
        return Err(Failure::Other(problem.to_owned()));
    }
    Ok(page.replacen(OFFLINE, "connect-src 'self'", 1))
}

fn filled(template: &str, data: &impl Serialize) -> Result<String, Failure> {
    let data = serde_json::to_string(data).map_err(Failure::new)?;
    // In a script element, `</script>` and `<!--` have a meaning, also inside a JSON string.
    let data = data.replace('<', "\\u003c");
    let Some((before, after)) = template.split_once(PLACE) else {
        let problem = "the page has no place for a lab: make it again with web/build";
        return Err(Failure::Other(problem.to_owned()));
    };
    let (open, close) = (PLACE.trim_end_matches("null</script>"), "</script>");
    Ok(format!("{before}{open}{data}{close}{after}"))
}

/// Returns an index page: a list of links to the pages of labs. Each item of `labs` has the name of
/// a lab, its title, and the name of the file with its page.
pub fn index(labs: &[(String, String, String)]) -> String {
    let mut list = String::new();
    for (name, title, file) in labs {
        let (name, title, file) = (escaped(name), escaped(title), escaped(file));
        list += &format!("<li><a href=\"{file}\">{name}</a> <span>{title}</span></li>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>LISP labs</title>\n\
         <style>:root {{ color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif }}\n\
         body {{ margin: 3rem auto; max-width: 40rem; padding: 0 1rem }} ul {{ padding: 0; list-style: none }}\n\
         li {{ margin: 1rem 0 }} span {{ display: block; opacity: .75 }}</style>\n\
         <h1>LISP labs</h1>\n<p>Each file holds a whole LISP network. It needs no server.</p>\n\
         <ul>\n{list}</ul>\n</html>\n"
    )
}

/// Returns a text in the form that HTML requires in an element or in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::built_in;

    #[test]
    fn markup_in_a_lab_file_cannot_end_the_script_that_holds_it() {
        let mut lab = built_in::find("two-sites").unwrap().unwrap();
        lab.set_text("xTR1.conf", "hostname </script><script>alert(1)</script><!--".to_owned());
        let template = format!("<html>{PLACE}</html>");
        let page = page(&template, &lab).unwrap();
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(!page.contains("<!--"));
        let data = page.split_once("id=\"lab\">").unwrap().1.split_once("</script>").unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["files"]["xTR1.conf"], "hostname </script><script>alert(1)</script><!--");
    }

    #[test]
    fn a_page_has_the_configurations_and_the_scenarios() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let page = page(PLACE, &lab).unwrap();
        assert!(page.contains("\"lab.toml\"") && page.contains("\"PxTR1.conf\""));
        assert!(page.contains("\"scenarios/g2-no-route.scenario\""));
    }

    #[test]
    fn a_lab_that_was_read_from_a_directory_has_its_lab_file_in_the_page() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let texts = lab.texts().filter(|(path, _)| *path != "lab.toml");
        let texts = texts.map(|(path, text)| (path.to_owned(), Ok(text.to_owned()))).collect();
        let page = page(PLACE, &Lab::new(lab.file.clone(), texts)).unwrap();
        assert!(page.contains("\"lab.toml\":\"#:schema"), "{page}");
    }

    #[test]
    fn a_live_page_may_connect_to_its_own_server() {
        let template = format!("<meta content=\"connect-src 'none'\">{PLACE}");
        let page = live(&template, "x", "http://127.0.0.1:1", "secret").unwrap();
        assert!(page.contains("connect-src 'self'") && !page.contains("connect-src 'none'"));
        let data =
            "{\"name\":\"x\",\"live\":{\"url\":\"http://127.0.0.1:1\",\"token\":\"secret\"}}";
        assert!(page.contains(data), "{page}");
        assert!(live(PLACE, "x", "", "").is_err());
    }

    #[test]
    fn a_file_that_is_no_template_is_refused() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let error = page("<html></html>", &lab).unwrap_err().to_string();
        assert!(error.contains("web/build"), "{error}");
    }

    #[test]
    fn the_index_shows_markup_as_text() {
        let index = index(&[("<b>".to_owned(), "\"&\"".to_owned(), "x.html".to_owned())]);
        assert!(index.contains("&lt;b&gt;") && index.contains("&quot;&amp;&quot;"));
    }
}

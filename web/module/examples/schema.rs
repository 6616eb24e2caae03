//! Prints the JSON schema of the requests and answers of the page.

fn main() {
    println!("{:#}", eidway_web_module::schema::all());
}

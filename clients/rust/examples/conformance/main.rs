//! Plays a file of vectors through the client:
//!
//!     conformance --address ADDRESS [--ca FILE --cert FILE --key FILE] FILE.json

mod asking;
mod comparing;
mod telling;

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;
use std::{env, fs};

use authz_client::{Client, Tls};
use serde_json::{Value, json};

// Thousands of questions on a busy machine are no test of deadlines.
const TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (options, file) = arguments()?;
    let content: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let client = client(&options)?;
    for vector in content["vectors"].as_array().ok_or("no vectors")? {
        println!("{}", outcome(&client, vector).await);
    }
    Ok(())
}

async fn outcome(client: &Client, vector: &Value) -> Value {
    let id = &vector["id"];
    let call = vector["call"].as_str().unwrap_or_default();
    match asking::ask(client, call, &vector["request"]).await {
        Err(why) => json!({"id": id, "skipped": why.0}),
        Ok(came) => match comparing::difference(&vector["want"], &came, "") {
            None => json!({"id": id, "ok": true}),
            Some(told) => json!({"id": id, "ok": false, "told": told}),
        },
    }
}

fn client(options: &HashMap<String, String>) -> Result<Client, Box<dyn Error>> {
    let address = options.get("--address").ok_or("no `--address`")?;
    let builder = Client::builder(address).timeout(TIMEOUT);
    let Some(ca) = options.get("--ca") else {
        return Ok(builder.connect()?);
    };
    let certificate = options.get("--cert").ok_or("no `--cert`")?;
    let key = options.get("--key").ok_or("no `--key`")?;
    let tls = Tls::new().ca_file(ca).identity_files(certificate, key);
    Ok(builder.tls(tls).connect()?)
}

fn arguments() -> Result<(HashMap<String, String>, String), Box<dyn Error>> {
    let mut options = HashMap::new();
    let mut file = None;
    let mut given = env::args().skip(1);
    while let Some(each) = given.next() {
        if each.starts_with("--") {
            let value = given.next().ok_or("an option without a value")?;
            options.insert(each, value);
        } else {
            file = Some(each);
        }
    }
    Ok((options, file.ok_or("no file of vectors")?))
}

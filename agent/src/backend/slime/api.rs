//! Ray's Jobs and State APIs, as far as a job needs them: plain HTTP on the head's own loopback, with the token.

use std::{collections::BTreeMap, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use tonic::codegen::{Bytes, http};

/// An answer is never larger, in bytes: that of 10,000 nodes is not.
const LARGEST: usize = 64 << 20;
/// A head that is well answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// Nobody answers, or not in time.
    #[error("{0}")]
    Silent(String),
    /// The token is not taken.
    #[error("Ray does not take the token (HTTP {0}): another cluster answers at this address")]
    Stranger(u16),
    /// It answers with an error.
    #[error("Ray answers HTTP {status}: {text}")]
    Refused {
        /// Its number.
        status: u16,
        /// The first line of it that says something.
        text: String,
    },
}

/// How a job of Ray stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Pending,
    Running,
    Succeeded,
    Failed,
    Stopped,
}

impl Status {
    pub(super) fn is_over(self) -> bool {
        matches!(self, Status::Succeeded | Status::Failed | Status::Stopped)
    }
}

/// A job of Ray.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Job {
    pub(super) status: Status,
    /// For a failed one, the last lines of its log too.
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) driver_exit_code: Option<i32>,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RayNode {
    pub(super) address: String,
    pub(super) alive: bool,
    pub(super) gpus: f64,
}

/// The APIs of one head.
#[derive(Debug)]
pub(super) struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

impl Api {
    /// `base` is `http://HOST:PORT`.
    pub(super) fn new(base: String, token: Option<String>) -> Api {
        Api { client: Client::builder(TokioExecutor::new()).build_http(), base, token }
    }

    /// All nodes that ever were in the cluster.
    pub(super) async fn nodes(&self) -> Result<Vec<RayNode>, Trouble> {
        let answer = self.call("GET", "/api/v0/nodes?limit=10000", None).await?;
        Ok(nodes(&answer))
    }

    /// The job of this submission id; `None` when there is none.
    pub(super) async fn job(&self, id: &str) -> Result<Option<Job>, Trouble> {
        match self.call("GET", &format!("/api/jobs/{id}"), None).await {
            Ok(answer) => match serde_json::from_value(answer) {
                Ok(job) => Ok(Some(job)),
                Err(error) => {
                    Err(Trouble::Refused { status: 200, text: format!("a job that cannot be read: {error}") })
                }
            },
            Err(Trouble::Refused { status: 404, .. }) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Submits a job under an id that was never used before.
    pub(super) async fn submit(
        &self,
        id: &str,
        entrypoint: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<(), Trouble> {
        // No entrypoint resources: with any, Ray takes the GPUs away from the driver and starts it on any node.
        let body = json!({ "submission_id": id, "entrypoint": entrypoint, "runtime_env": { "env_vars": env } });
        match self.call("POST", "/api/jobs/", Some(body)).await {
            // Ray answers a repeated id with a traceback: the job is there.
            Err(Trouble::Refused { text, .. }) if text.contains("already exists") => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Asks the job to end; that it has is seen in its status.
    pub(super) async fn stop(&self, id: &str) -> Result<(), Trouble> {
        self.call("POST", &format!("/api/jobs/{id}/stop"), None).await.map(|_| ())
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Trouble> {
        let silent = |what: String| Trouble::Silent(format!("{}{path}: {what}", self.base));
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Full::from(body.to_string())
            }
            None => Full::default(),
        };
        let request = request.body(body).map_err(|error| silent(error.to_string()))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| silent(deepest(&error)))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| silent(error.to_string()))?.to_bytes();
            match status {
                200..300 => Ok(serde_json::from_slice(&body).unwrap_or(Value::Null)),
                401 | 403 => Err(Trouble::Stranger(status)),
                _ => Err(Trouble::Refused { status, text: telling_line(&String::from_utf8_lossy(&body)) }),
            }
        };
        match timeout(PATIENCE, exchange).await {
            Ok(result) => result,
            Err(_) => Err(silent(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

/// What lies at the bottom of an error: "Connection refused" rather than "client error".
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Ray answers with whole tracebacks, of which the last line says most.
fn telling_line(text: &str) -> String {
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    line.chars().take(400).collect()
}

fn nodes(answer: &Value) -> Vec<RayNode> {
    let rows = answer["data"]["result"]["result"].as_array();
    let read = |row: &Value| {
        Some(RayNode {
            address: row["node_ip"].as_str()?.to_owned(),
            alive: row["state"] == "ALIVE",
            gpus: row["resources_total"]["GPU"].as_f64().unwrap_or(0.0),
        })
    };
    rows.into_iter().flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_read_from_the_state_api() {
        let row = |ip: &str, state: &str, gpus: f64| json!({ "node_id": "f0", "node_ip": ip, "state": state, "resources_total": { "CPU": 4.0, "GPU": gpus } });
        let rows = [row("10.0.0.1", "ALIVE", 8.0), row("10.0.0.2", "DEAD", 8.0), json!({ "state": "ALIVE" })];
        let answer = json!({ "result": true, "data": { "result": { "total": 3, "result": rows } } });
        let of = |address: &str, alive| RayNode { address: address.to_owned(), alive, gpus: 8.0 };
        assert_eq!(nodes(&answer), [of("10.0.0.1", true), of("10.0.0.2", false)]);
        assert!(nodes(&json!({ "data": null })).is_empty());
    }

    #[test]
    fn a_job_is_read_with_and_without_its_end() {
        let running = json!({ "type": "SUBMISSION", "status": "RUNNING", "message": "", "driver_exit_code": null });
        let job: Job = serde_json::from_value(running).unwrap();
        assert!(!job.status.is_over());
        let failed = json!({ "status": "FAILED", "message": "Job entrypoint failed", "driver_exit_code": 1 });
        let job: Job = serde_json::from_value(failed).unwrap();
        assert!(job.status.is_over() && job.driver_exit_code == Some(1));
    }

    #[test]
    fn of_a_traceback_the_last_line_is_told() {
        let text =
            "Traceback (most recent call last):\n  File x\nValueError: Job with submission_id a already exists.\n\n";
        assert_eq!(telling_line(text), "ValueError: Job with submission_id a already exists.");
    }

    #[tokio::test]
    async fn a_head_that_is_not_there_is_silent() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let api = Api::new(format!("http://{free}"), None);
        let Err(Trouble::Silent(text)) = api.nodes().await else { panic!() };
        assert!(text.contains("refused"), "{text}");
    }
}

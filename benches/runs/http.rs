//! HTTP/1.1 against HTTP/2 (prior knowledge, no encryption), with the client library that the tool uses.

use std::time::Instant;

use futures_util::{StreamExt, stream};
use reqwest::Client;

use super::Fallible;
use super::process::own_cpu;
use super::server::{Server, arguments};
use super::table::{Table, one, print_line, real, two};

/// The most that the tool sends at once.
const AT_ONCE: usize = 52;
/// The caller's own filters: a request and an answer of the size of a survey's.
const FILTERS: &str = "api/data/v9.2/userqueries?$select=userqueryid,name,statecode,statuscode,returnedtypecode,querytype&$filter=querytype eq 256";

/// The same requests over both.
pub(crate) async fn measure() -> Fallible<()> {
    print_line("HTTP/1.1 and HTTP/2 …")?;
    let mut table = Table::new(&[
        "protocol",
        "latency, ms",
        "requests",
        "seconds",
        "requests/s",
        "client CPU ms per 1,000",
    ]);
    for (latency, requests) in [(0, 20_000), (100, 2_000)] {
        let server = Server::start(&arguments(&[("users", 60), ("latency", latency)]))?;
        for name in ["HTTP/1.1", "HTTP/2"] {
            let http = syncfilters::auth::client_builder().tcp_nodelay(true);
            let http = match name {
                "HTTP/2" => http.http2_prior_knowledge(),
                _ => http.http1_only(),
            };
            let http = http.build()?;
            let cpu = own_cpu();
            let start = Instant::now();
            send(&http, &server, requests).await?;
            let seconds = start.elapsed().as_secs_f64();
            let cpu = own_cpu().zip(cpu).map(|(after, before)| after - before);
            let sent = real(u64::try_from(requests)?);
            table.row(&[
                name.to_owned(),
                latency.to_string(),
                requests.to_string(),
                two(seconds),
                format!("{:.0}", sent / seconds),
                cpu.map_or_else(|| "not known".to_owned(), |it| one(it * 1_000_000.0 / sent)),
            ]);
        }
    }
    table.print(&format!(
        "## HTTP/1.1 and HTTP/2: {AT_ONCE} requests at once, not encrypted"
    ))
}

async fn send(http: &Client, server: &Server, requests: usize) -> Fallible<()> {
    let url = format!("{}{FILTERS}", server.url);
    let one = |_| async {
        let answer = http.get(&url).bearer_auth(&server.token).send().await?;
        answer.error_for_status()?.bytes().await
    };
    let mut all = stream::iter(0..requests).map(one).buffer_unordered(AT_ONCE);
    while let Some(answer) = all.next().await {
        answer?;
    }
    Ok(())
}

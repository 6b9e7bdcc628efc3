//! One request over HTTP, and what its answer means.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::{
    Response, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use tokio::runtime::Runtime;

use super::RemoteWriteOptions;
use crate::spanmetrics::ConfigError;

/// What is read of an answer that is no success.
const MAX_REASON: usize = 1024;

/// Sends requests, each when the one before has been answered.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    runtime: Runtime,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// It would be refused again.
    Refused(String),
    /// It may be taken later; after this time, if the receiver has said so.
    Later(String, Option<Duration>),
}

impl Client {
    pub(super) fn new(options: &RemoteWriteOptions) -> Result<Self, ConfigError> {
        let url: Url = options.url.parse().map_err(|error| wrong(format!("the address is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("the address has to begin with http:// or https://".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("the address may not hold a user and password: they go into a header".to_owned()));
        }
        let http = reqwest::Client::builder()
            .default_headers(headers(options)?)
            .user_agent(concat!("tracestore/", env!("CARGO_PKG_VERSION")))
            .timeout(options.timeout)
            .redirect(Policy::none());
        let http = http.build().map_err(|error| wrong(format!("no connections can be made: {error}")))?;
        // Last: a runtime may not be dropped where futures run.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| wrong(format!("no connections can be made: {error}")))?;
        Ok(Self { http, url, runtime })
    }

    pub(super) fn send(&self, body: Bytes) -> Answer {
        let request = self.http.post(self.url.clone()).body(body);
        self.runtime.block_on(async {
            match request.send().await {
                Ok(response) if response.status().is_success() => Answer::Taken,
                Ok(response) => {
                    let (status, headers) = (response.status(), response.headers().clone());
                    answer(status, &headers, reason(response).await.trim(), SystemTime::now())
                }
                Err(error) => Answer::Later(chain(&error), None),
            }
        })
    }
}

fn headers(options: &RemoteWriteOptions) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &options.headers {
        let header = name.parse::<HeaderName>().map_err(|_| wrong(format!("`{name}` is no name of a header")))?;
        let no_value = |_| wrong(format!("the value of the header `{name}` has control characters"));
        let mut value: HeaderValue = value.parse().map_err(no_value)?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    // What the protocol asks for is not to be replaced.
    let own = [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ];
    for (name, value) in own {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(headers)
}

fn wrong(reason: String) -> ConfigError {
    ConfigError::RemoteWrite { reason }
}

/// What an answer says, as far as it is short.
async fn reason(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_REASON
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(chunk.get(..MAX_REASON - bytes.len()).unwrap_or(&chunk));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An error with what has caused it: the outermost says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What an answer that is no success means.
fn answer(status: StatusCode, headers: &HeaderMap, reason: &str, now: SystemTime) -> Answer {
    let separator = if reason.is_empty() { "" } else { ": " };
    let text = format!("{status}{separator}{reason}");
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Answer::Later(text, after.and_then(|after| retry_after(after, now)))
    } else {
        Answer::Refused(text)
    }
}

/// Seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let mut headers = HeaderMap::new();
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let of = |code: u16, headers: &HeaderMap| answer(StatusCode::from_u16(code).unwrap(), headers, "why", now);
        for code in [400, 401, 404, 408, 413, 301] {
            assert!(matches!(of(code, &headers), Answer::Refused(_)), "{code}");
        }
        for code in [500, 503, 429] {
            assert!(matches!(of(code, &headers), Answer::Later(_, None)), "{code}");
        }
        assert_eq!(of(400, &headers), Answer::Refused("400 Bad Request: why".to_owned()));
        for (text, seconds) in [
            ("7", Some(7)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
        ] {
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            let Answer::Later(_, after) = of(429, &headers) else { panic!("{text}") };
            assert_eq!(after, seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn addresses_and_headers_are_checked() {
        let refused = |options: RemoteWriteOptions| Client::new(&options).unwrap_err().to_string();
        for url in ["", "nowhere", "ftp://host/", "http://user:secret@host/"] {
            let error = refused(RemoteWriteOptions::new(url));
            assert!(!error.contains("secret"), "{error}");
        }
        let with = |name: &str, value: &str| refused(RemoteWriteOptions::new("http://host/").with_header(name, value));
        assert!(with("no name", "x").contains("`no name`"));
        let error = with("x-key", "sec\nret");
        assert!(error.contains("`x-key`") && !error.contains("ret\n"), "{error}");
        let options =
            RemoteWriteOptions::new("http://host/").with_bearer_token("secret").with_basic_auth("me", "secret");
        assert!(!format!("{options:?} {:?}", Client::new(&options).unwrap()).contains("secret"));
        assert_eq!(options.headers[1].1, "Basic bWU6c2VjcmV0");
    }
}

//! Executes a batch: in order, change sets completely or not at all.

use http::StatusCode;

use super::decode::{BatchPart, Item, decode};
use super::encode::{PartAnswer, encode};
use crate::errors::ApiError;
use crate::location::locate;
use crate::message::{IncomingCall, Reply};
use crate::prefer::Prefer;
use crate::service::{OperationContext, Scope, Service};
use crate::switches::Switch;

/// Answers a `$batch` request.
pub(crate) async fn run(service: &Service, scope: &Scope, request: &IncomingCall) -> Reply {
    let items = match decode(&request.headers, &request.body) {
        Ok(items) => items,
        Err(error) => return service.refuse(&error, &request.headers),
    };
    let prefers = Prefer::of(&request.headers).continue_on_error;
    let supported =
        !service.options.version.is_8() && !service.options.switches.on(Switch::NoContinueOnError);
    let go_on = prefers && supported;
    let scope = &outer_scope(service, scope);
    let mut answers = Vec::new();
    let mut status = StatusCode::OK;
    for item in items {
        let answer = carry_out(service, scope, item).await;
        let failed = failure(&answer);
        answers.push(answer);
        if let Some(failed) = failed.filter(|_| !go_on) {
            status = failed;
            if service.options.switches.on(Switch::BatchStopOmitsEarlier) {
                answers.drain(..answers.len() - 1);
            }
            break;
        }
    }
    let (content_type, body) = encode(&answers);
    let mut reply = Reply::new(status).with("content-type", &content_type);
    reply.body = body.into();
    if go_on {
        reply.with("preference-applied", "odata.continue-on-error")
    } else {
        reply
    }
}

/// Headers that impersonate a user.
const IMPERSONATING: [&str; 2] = ["callerobjectid", "mscrmcallerid"];

/// The scope that the parts inherit from the outer request.
fn outer_scope(service: &Service, scope: &Scope) -> Scope {
    let mut scope = scope.clone();
    if service
        .options
        .switches
        .on(Switch::BatchIgnoresImpersonation)
    {
        for name in IMPERSONATING {
            scope.outer.remove(name);
        }
    }
    scope
}

fn part_scope(service: &Service, scope: &Scope, part: &BatchPart) -> Scope {
    let mut scope = scope.clone();
    if service.options.switches.on(Switch::PartImpersonates) {
        for name in IMPERSONATING {
            if let Some(value) = part.headers.get(name) {
                scope.outer.insert(name, value.clone());
            }
        }
    }
    scope
}

fn failure(answer: &PartAnswer) -> Option<StatusCode> {
    let failed = |reply: &Reply| (!reply.is_success()).then_some(reply.status);
    match answer {
        PartAnswer::Single(_, reply) => failed(reply),
        PartAnswer::ChangeSet(replies) => replies.iter().find_map(|(_, reply)| failed(reply)),
    }
}

async fn carry_out(service: &Service, scope: &Scope, item: Item) -> PartAnswer {
    let execution = service.options.execution;
    match item {
        Item::Single(part) => {
            service.counts().batch_parts += 1;
            tokio::time::sleep(execution).await;
            let scope = part_scope(service, scope, &part);
            let reply = match call(service, &part) {
                Ok(call) => service.answer(&scope, &call, OperationContext::Batch),
                Err(error) => service.refuse(&error, &part.headers),
            };
            PartAnswer::Single(part.content_id, reply)
        }
        Item::ChangeSet(parts) => {
            let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            service.counts().batch_parts += u64::from(count);
            tokio::time::sleep(execution * count).await;
            PartAnswer::ChangeSet(change_set(service, scope, parts))
        }
    }
}

/// Executes all or nothing. If one operation fails, only its answer is returned.
fn change_set(
    service: &Service,
    scope: &Scope,
    parts: Vec<BatchPart>,
) -> Vec<(Option<String>, Reply)> {
    let mut store = service.store_mut();
    store.begin();
    let mut replies: Vec<(Option<String>, Reply)> = Vec::with_capacity(parts.len());
    for mut part in parts {
        refer(&mut part, &replies);
        let reply = match call(service, &part) {
            Ok(call) => service.answer_within(&mut store, scope, &call),
            Err(error) => service.refuse(&error, &part.headers),
        };
        if !reply.is_success() {
            store.roll_back();
            return vec![(part.content_id, reply)];
        }
        replies.push((part.content_id, reply));
    }
    store.commit();
    replies
}

/// Replaces `$1` in an address by the row that the part with `Content-ID: 1` wrote.
fn refer(part: &mut BatchPart, before: &[(Option<String>, Reply)]) {
    let Some(rest) = part.url.trim_start_matches('/').strip_prefix('$') else {
        return;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (id, tail) = rest.split_at(end);
    let named = before
        .iter()
        .find(|(content_id, _)| content_id.as_deref() == Some(id));
    let address = named.and_then(|(_, reply)| reply.headers.get("odata-entityid"));
    if let Some(address) = address.and_then(|it| it.to_str().ok()) {
        part.url = format!("{address}{tail}");
    }
}

fn call(service: &Service, part: &BatchPart) -> Result<IncomingCall, ApiError> {
    let options = &service.options;
    let found = locate(&part.url, &options.prefix(), options.version)?;
    if found
        .path
        .trim_start_matches('/')
        .replace("%24", "$")
        .starts_with("$batch")
    {
        return Err(ApiError::bad_request(
            "A batch request cannot contain a batch request.",
        ));
    }
    Ok(IncomingCall {
        method: part.method.clone(),
        path: found.path,
        query: found.query,
        headers: part.headers.clone(),
        body: part.body.clone(),
    })
}

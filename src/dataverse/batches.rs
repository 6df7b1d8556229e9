//! Reads several resources in one request, or one by one where there is no `$batch`.

use http::StatusCode;
use url::Url;

use crate::pacing::Repeat;

use super::answer::Answer;
use super::batch;
use super::call::{Call, reading_part};
use super::error::Error;
use super::impersonation::Impersonated;
use super::read::bad_answer;
use super::reader::Reader;

impl Reader {
    /// Reads from several addresses, as the caller or as a user. The header is on the outer request, because on a
    /// part it may be ignored.
    ///
    /// The answers are in order and may be fewer than the addresses: an address that was throttled or answered with an
    /// empty body has no answer, and neither have those after it. A gateway that refuses `$batch` is asked one by one
    /// from then on.
    pub(super) async fn read_together(
        &self,
        what: &'static str,
        who: Option<&Impersonated>,
        urls: &[Url],
    ) -> Result<Vec<Answer>, Error> {
        let as_who = |call| match who {
            Some(who) => self.as_user(call, who),
            None => call,
        };
        if !self.channel.has_no_batch() {
            let parts: Vec<_> = urls.iter().map(reading_part).collect();
            let call = Call::batch(what, self.url("$batch")?, &parts, Repeat::Safe);
            let answer = self.channel.send(&as_who(call)).await?;
            if let Some(content_type) = answer.multipart() {
                let answers = batch::decode(content_type, &answer.body)
                    .map_err(|error| bad_answer(what, &error))?;
                return Ok(self.answered(answers));
            }
            if !answer.refuses_batches() {
                return Err(Error::refused(what, answer.fault()));
            }
            self.channel.learn_no_batch();
        }
        let mut answers = Vec::with_capacity(urls.len());
        for url in urls {
            let call = as_who(Call::get(what, url.clone()));
            answers.push(self.channel.send(&call).await?);
        }
        Ok(answers)
    }

    fn answered(&self, mut answers: Vec<Answer>) -> Vec<Answer> {
        let unanswered = |answer: &Answer| {
            answer.status == StatusCode::TOO_MANY_REQUESTS || answer.is_empty_success()
        };
        if let Some(at) = answers.iter().position(unanswered) {
            self.channel.note(&answers[at]);
            answers.truncate(at);
        }
        answers
    }
}

//! A search as a stream: what it tells while it runs, and its answer at the end.

use std::{
    fmt,
    ops::ControlFlow,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use futures::{Stream, StreamExt, future::BoxFuture};

use super::{Engine, Progress, SearchOptions, SearchResponse};
use crate::Result;

/// What a search tells.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SearchEvent {
    /// How far it is.
    Progress(Progress),
    /// Its answer, the same as [`Engine::search`] gives. Nothing follows.
    Done(SearchResponse),
}

/// A search that runs as it is asked for events; dropping it ends the search within one part of a block.
///
/// Whoever asks seldom gets the latest progress, and none twice; of a search that takes no time there is none.
pub struct SearchStream {
    /// `None` when the answer was given.
    search: Option<BoxFuture<'static, Result<SearchResponse>>>,
    latest: Arc<Mutex<Option<Progress>>>,
}

impl Engine {
    /// The same as [`Engine::search`] as a stream of [`SearchEvent`]s: progress every few milliseconds, then the answer or
    /// an error, and then nothing more. It owns what it needs, and may be sent to another task.
    ///
    /// ```
    /// # async fn example(engine: traceql::Engine) -> traceql::Result<()> {
    /// use traceql::{SearchEvent, SearchOptions};
    /// let mut events = engine.search_stream("{ status = error }", &SearchOptions::default());
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         SearchEvent::Progress(progress) => println!("{} spans tested", progress.rows),
    ///         SearchEvent::Done(response) => println!("{} traces", response.traces.len()),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// The errors it gives are those of [`Engine::search`].
    #[must_use]
    pub fn search_stream(&self, query: &str, options: &SearchOptions) -> SearchStream {
        let (engine, query, options) = (self.clone(), query.to_owned(), options.clone());
        let latest = Arc::new(Mutex::new(None));
        let told = Arc::clone(&latest);
        let search = async move {
            let watch = |progress: &Progress| {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(*progress);
                ControlFlow::Continue(())
            };
            engine.search_watched(&query, &options, watch).await
        };
        SearchStream { search: Some(Box::pin(search)), latest }
    }
}

impl SearchStream {
    /// The next event; `None` behind the answer, and behind an error.
    ///
    /// # Errors
    /// As [`Engine::search`].
    pub async fn next(&mut self) -> Option<Result<SearchEvent>> {
        StreamExt::next(self).await
    }
}

impl Stream for SearchStream {
    type Item = Result<SearchEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(search) = &mut self.search else { return Poll::Ready(None) };
        if let Poll::Ready(response) = search.as_mut().poll(context) {
            self.search = None;
            return Poll::Ready(Some(response.map(SearchEvent::Done)));
        }
        // Progress is told by the search itself, while it is polled; the search wakes this task for more.
        match self.latest.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(progress) => Poll::Ready(Some(Ok(SearchEvent::Progress(progress)))),
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for SearchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchStream").field("done", &self.search.is_none()).finish_non_exhaustive()
    }
}

//! An object store that several actors use at once, one request after the other in an order that a seed decides, and that
//! fails as real ones do: requests that were never done, and requests that were done and whose answer is lost.
//!
//! Each actor runs on a thread of its own and waits at every request until it is its turn. The turn is given when all
//! actors wait, so that nothing but the seed decides who is next.

use std::{
    collections::BTreeSet,
    fmt,
    ops::Range,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};

/// Numbers that look random and are decided by a seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What happened to requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) lost_replies: u64,
    pub(crate) lost_races: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.refused += other.refused;
        self.lost_replies += other.lost_replies;
        self.lost_races += other.lost_races;
    }
}

/// The objects, and whose turn it is.
#[derive(Debug)]
pub(crate) struct World {
    objects: InMemory,
    /// So many of a hundred requests are refused, and of as many the reply is lost.
    failing: u64,
    turns: Mutex<Turns>,
    changed: Condvar,
}

#[derive(Debug)]
struct Turns {
    dice: Dice,
    /// Actors that do something of their own.
    busy: usize,
    waiting: BTreeSet<usize>,
    next: Option<usize>,
    counts: Counts,
}

impl World {
    /// A world of as many actors, numbered from 0. All of them have to begin, and to [leave](Actor).
    pub(crate) fn new(seed: u64, actors: usize, failing: u64) -> Arc<Self> {
        let turns =
            Turns { dice: Dice(seed), busy: actors, waiting: BTreeSet::new(), next: None, counts: Counts::default() };
        Arc::new(Self { objects: InMemory::new(), failing, turns: Mutex::new(turns), changed: Condvar::new() })
    }

    /// The same objects, for one actor.
    pub(crate) fn alone(self: &Arc<Self>) -> Arc<Self> {
        let turns = Turns { dice: Dice(0), busy: 1, waiting: BTreeSet::new(), next: None, counts: Counts::default() };
        Arc::new(Self { objects: self.objects.clone(), failing: 0, turns: Mutex::new(turns), changed: Condvar::new() })
    }

    pub(crate) fn counts(&self) -> Counts {
        self.turns().counts
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap()
    }

    fn give_turn(&self, turns: &mut Turns) {
        if turns.busy == 0 && turns.next.is_none() && !turns.waiting.is_empty() {
            let place = turns.dice.below(turns.waiting.len() as u64) as usize;
            turns.next = turns.waiting.iter().nth(place).copied();
            self.changed.notify_all();
        }
    }

    /// Waits for an actor's turn, and throws a die for it.
    fn wait(&self, actor: usize) -> u64 {
        let mut turns = self.turns();
        turns.busy -= 1;
        turns.waiting.insert(actor);
        self.give_turn(&mut turns);
        let mut turns = self.changed.wait_while(turns, |turns| turns.next != Some(actor)).unwrap();
        turns.next = None;
        turns.waiting.remove(&actor);
        turns.busy += 1;
        turns.counts.requests += 1;
        turns.dice.below(100)
    }
}

/// An actor's way to the objects. When it is dropped the actor has left.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    world: Arc<World>,
    number: usize,
    calm: Arc<AtomicBool>,
    /// An actor with several threads makes one request at a time all the same.
    at_work: Arc<tokio::sync::Mutex<()>>,
}

/// Ends an actor's part, however that ends.
#[derive(Debug)]
pub(crate) struct Leave(Actor);

impl Drop for Leave {
    fn drop(&mut self) {
        let mut turns = self.0.world.turns();
        turns.busy -= 1;
        self.0.world.give_turn(&mut turns);
    }
}

/// What is to become of a request.
enum Fate {
    Done,
    Refused,
    LostReply,
}

impl Actor {
    pub(crate) fn enter(world: &Arc<World>, number: usize) -> (Self, Leave) {
        let actor = Self { world: Arc::clone(world), number, calm: Arc::default(), at_work: Arc::default() };
        (actor.clone(), Leave(actor))
    }

    /// Does something without failures.
    pub(crate) fn calmly<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.calm.swap(true, Ordering::SeqCst);
        let done = work();
        self.calm.store(before, Ordering::SeqCst);
        done
    }

    fn fate(&self) -> Fate {
        let die = self.world.wait(self.number);
        let calm = self.calm.load(Ordering::SeqCst);
        let (rate, counts) = (self.world.failing, &mut self.world.turns().counts);
        match die {
            die if !calm && die < rate => {
                counts.refused += 1;
                Fate::Refused
            }
            die if !calm && die < 2 * rate => {
                counts.lost_replies += 1;
                Fate::LostReply
            }
            _ => Fate::Done,
        }
    }

    async fn request<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let _at_work = self.at_work.lock().await;
        match self.fate() {
            Fate::Done => work.await,
            Fate::Refused => Err(failure("503 Slow Down")),
            Fate::LostReply => {
                // Whatever it is, nobody learns it.
                drop(work.await);
                Err(failure("connection closed before message completed"))
            }
        }
    }
}

fn failure(what: &'static str) -> Error {
    Error::Generic { store: "simulation", source: what.into() }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actor {}", self.number)
    }
}

#[async_trait]
impl ObjectStore for Actor {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let put = self.request(self.world.objects.put_opts(location, payload, options)).await;
        if matches!(put, Err(Error::AlreadyExists { .. })) {
            self.world.turns().counts.lost_races += 1;
        }
        put
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.request(self.world.objects.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.request(self.world.objects.get_opts(location, options)).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.request(self.world.objects.get_ranges(location, ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let actor = self.clone();
        let delete = move |location: Result<Path>| {
            let actor = actor.clone();
            async move {
                let one = futures::stream::iter([location]).boxed();
                let mut removed = actor.world.objects.delete_stream(one);
                let removed = actor.request(async { Ok(removed.next().await) }).await;
                removed?.unwrap_or_else(|| Err(failure("nothing was answered")))
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (actor, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            let found = actor.world.objects.list(prefix.as_ref()).collect::<Vec<_>>();
            let found = actor.request(async { Ok(found.await) }).await;
            futures::stream::iter(found.unwrap_or_else(|error| vec![Err(error)]))
        };
        listed.into_stream().flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.request(self.world.objects.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.request(self.world.objects.copy_opts(from, to, options)).await
    }
}

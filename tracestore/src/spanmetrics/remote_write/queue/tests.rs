//! The queue against a list: whatever is put in, taken out, grown old, or opened again.

use proptest::prelude::*;

use super::*;
use crate::io::MemoryVfs;

const MAX_BYTES: u64 = 3 << 20;
const MAX_AGE: u64 = 100;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many bytes.
    Push(usize),
    /// The next one is asked for, and done with.
    Take(Done),
    /// The next one is asked for, and more comes before it is done with.
    TakeLate(Done, usize),
    Age(u64),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || prop_oneof![0..100_usize, 0..900_000_usize, Just(MAX_BYTES as usize + 1)];
    let done = || prop_oneof![3 => Just(Done::Sent), 1 => Just(Done::Refused)];
    let step = prop_oneof![
        5 => bytes().prop_map(Step::Push),
        4 => done().prop_map(Step::Take),
        1 => (done(), bytes()).prop_map(|(done, bytes)| Step::TakeLate(done, bytes)),
        1 => (0..60_u64).prop_map(Step::Age),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..40)
}

/// What the queue is to be.
#[derive(Debug, Default)]
struct Model {
    /// Body, samples, time.
    waiting: VecDeque<(Vec<u8>, u32, u64)>,
    status: RemoteWriteStatus,
    pushed: u8,
    now: u64,
}

impl Model {
    fn push(&mut self, queue: &mut Queue, bytes: usize) {
        self.pushed = self.pushed.wrapping_add(1);
        let (body, samples) = (vec![self.pushed; bytes], u32::from(self.pushed));
        queue.push(&body, samples, self.now).unwrap();
        if bytes as u64 > MAX_BYTES {
            self.status.overflowed += u64::from(samples);
            return;
        }
        while self.bytes() + bytes as u64 > MAX_BYTES {
            self.status.overflowed += self.drop_oldest();
        }
        self.waiting.push_back((body, samples, self.now));
    }

    fn next(&mut self, queue: &mut Queue) -> Option<u64> {
        while self.waiting.front().is_some_and(|(.., time)| self.now - time > MAX_AGE) {
            self.status.expired += self.drop_oldest();
        }
        let next = queue.next(self.now).unwrap();
        assert_eq!(next.as_ref().map(|next| &next.body[..]), self.waiting.front().map(|(body, ..)| &body[..]));
        next.map(|next| next.sequence)
    }

    fn done(&mut self, why: Done) {
        let samples = self.drop_oldest();
        match why {
            Done::Sent => self.status.sent += samples,
            _ => self.status.refused += samples,
        }
    }

    fn drop_oldest(&mut self) -> u64 {
        self.waiting.pop_front().map_or(0, |(_, samples, _)| u64::from(samples))
    }

    fn bytes(&self) -> u64 {
        self.waiting.iter().map(|(body, ..)| body.len() as u64).sum()
    }

    fn expected(&self) -> RemoteWriteStatus {
        RemoteWriteStatus {
            queued_requests: self.waiting.len(),
            queued_samples: self.waiting.iter().map(|(_, samples, _)| u64::from(*samples)).sum(),
            queued_bytes: self.bytes(),
            ..self.status.clone()
        }
    }
}

fn open(vfs: &MemoryVfs) -> Queue {
    let mut options = RemoteWriteOptions::new("http://nowhere/");
    options.max_age = std::time::Duration::from_nanos(MAX_AGE);
    options.max_bytes = MAX_BYTES;
    Queue::open(Arc::new(vfs.clone()), PathBuf::from("spool"), &options).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_queue_is_a_list(steps in steps()) {
        let vfs = MemoryVfs::default();
        let (mut queue, mut model) = (open(&vfs), Model::default());
        for step in steps {
            match step {
                Step::Push(bytes) => model.push(&mut queue, bytes),
                Step::Take(why) => {
                    if let Some(sequence) = model.next(&mut queue) {
                        queue.done(sequence, why).unwrap();
                        model.done(why);
                    }
                }
                Step::TakeLate(why, bytes) => {
                    let next = model.next(&mut queue);
                    let oldest = model.waiting.front().cloned();
                    model.push(&mut queue, bytes);
                    if let Some(sequence) = next {
                        queue.done(sequence, why).unwrap();
                        // Unless it had to make room in the meantime.
                        if model.waiting.front() == oldest.as_ref() {
                            model.done(why);
                        }
                    }
                }
                Step::Age(nanos) => model.now += nanos,
                Step::Reopen => {
                    drop(queue);
                    queue = open(&vfs);
                    model.status = RemoteWriteStatus::default();
                }
            }
            prop_assert_eq!(queue.status(), &model.expected());
            // What is on disk is what waits, what its segments hold beside it, and a few bytes.
            let stored: u64 = vfs.list(Path::new("spool")).unwrap().iter()
                .map(|name| vfs.size(&Path::new("spool").join(name)).unwrap().unwrap_or(0)).sum();
            prop_assert!(stored <= MAX_BYTES + 2 * (SEGMENT_BYTES + 900_000) + 100_000, "{} bytes", stored);
        }
    }
}

#[test]
fn damage_is_counted_and_the_rest_is_sent() {
    let vfs = MemoryVfs::default();
    let mut queue = open(&vfs);
    for byte in 1..=3_u8 {
        queue.push(&[byte; 100], 1, 0).unwrap();
    }
    drop(queue);
    let segment = Path::new("spool").join("00000000000000000001.wal");
    let mut bytes = vfs.read(&segment).unwrap().to_vec();
    let second = bytes.windows(100).position(|window| window == [2; 100]).unwrap();
    bytes[second + 50] ^= 1;
    vfs.put(&segment, bytes.into());
    let mut queue = open(&vfs);
    assert_eq!((queue.status().damaged_requests, queue.status().queued_requests), (1, 2));
    for byte in [1, 3] {
        let next = queue.next(0).unwrap().unwrap();
        assert_eq!(next.body, vec![byte; 100]);
        queue.done(next.sequence, Done::Sent).unwrap();
    }
    assert_eq!(queue.next(0).unwrap(), None);
}

#[test]
fn a_note_that_is_damaged_lets_all_be_sent_again() {
    let vfs = MemoryVfs::default();
    let mut queue = open(&vfs);
    for byte in [1, 2] {
        queue.push(&[byte; 10], 1, 0).unwrap();
    }
    let next = queue.next(0).unwrap().unwrap();
    queue.done(next.sequence, Done::Sent).unwrap();
    drop(queue);
    assert_eq!(open(&vfs).status().queued_requests, 1);
    vfs.put(Path::new("spool/done"), Bytes::from_static(b"torn"));
    assert_eq!(open(&vfs).status().queued_requests, 2);
}

//! Requests that wait at the same moment are answered together, as a data loader does it: group
//! commit, for reads.
//!
//! While few statements are under way, a request begins one at once, alone. Those that come meanwhile
//! wait until one has ended, and go together; nobody waits for company. No request joins a statement
//! that has begun, which may not see what was committed before the request came.
//!
//! A statement belongs to none of those who wait for it: who goes away takes no other with it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A statement that is under way for so long keeps nobody waiting any more: it may wait for a lock, or
/// its connection may be lost.
const LONG: Duration = Duration::from_millis(500);

/// What answers several keys at once.
pub(super) trait Statement: Send + Sync + 'static {
    /// Requests of different lanes neither wait for each other nor share a statement.
    type Lane: Clone + Eq + Hash + Send + Sync;
    /// What is asked for. Who asks for the same shares an answer.
    type Key: Clone + Eq + Hash + Send + Sync;
    type Answer: Clone + Send;

    /// Statements of a lane that are under way before others wait for their end.
    const AT_ONCE: usize;
    /// Keys of one statement, at most.
    const KEYS: usize;

    /// Asks for these keys, of which no two are equal. What it leaves out is not answered.
    fn answers(
        &self,
        lane: &Self::Lane,
        keys: &[Self::Key],
    ) -> impl Future<Output = HashMap<Self::Key, Self::Answer>> + Send;
}

/// Gathers what a statement is asked for. Clones share it.
pub(super) struct Gather<S: Statement>(Arc<Shared<S>>);

struct Shared<S: Statement> {
    statement: S,
    /// Those where something is under way.
    lanes: Mutex<HashMap<S::Lane, Lane<S>>>,
}

struct Lane<S: Statement> {
    under_way: usize,
    waiting: VecDeque<(S::Key, oneshot::Sender<S::Answer>)>,
}

/// Who is to be told the answers of a statement.
type Batch<S> = HashMap<<S as Statement>::Key, Vec<oneshot::Sender<<S as Statement>::Answer>>>;

impl<S: Statement> Gather<S> {
    pub(super) fn new(statement: S) -> Self {
        Self(Arc::new(Shared { statement, lanes: Mutex::default() }))
    }

    /// The answer of a statement that begins after this. `None` where it had none for this key, or
    /// panicked.
    pub(super) async fn ask(&self, lane: S::Lane, key: S::Key) -> Option<S::Answer> {
        let (tell, told) = oneshot::channel();
        self.0.go_on(lane, |lane| lane.waiting.push_back((key, tell)));
        told.await.ok()
    }
}

impl<S: Statement> Shared<S> {
    /// Changes a lane, and begins its next statement where that may be.
    fn go_on(self: &Arc<Self>, lane: S::Lane, change: impl FnOnce(&mut Lane<S>)) {
        let batch = {
            let mut lanes = self.lanes();
            let state = lanes.entry(lane.clone()).or_default();
            change(state);
            let batch = state.next();
            if state.under_way == 0 {
                lanes.remove(&lane);
            }
            batch
        };
        let Some(batch) = batch else { return };
        let turn = Turn { shared: self.clone(), lane };
        // Without a runtime, nobody waits any more.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(turn.answer(batch));
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<S::Lane, Lane<S>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Statement> Lane<S> {
    /// Those who go together now; they are under way then. `None` where nobody waits, or has to.
    fn next(&mut self) -> Option<Batch<S>> {
        if self.under_way >= S::AT_ONCE {
            return None;
        }
        let mut batch = Batch::<S>::new();
        while let Some((key, tell)) = self.waiting.pop_front() {
            if batch.len() == S::KEYS && !batch.contains_key(&key) {
                self.waiting.push_front((key, tell));
                break;
            }
            if !tell.is_closed() {
                batch.entry(key).or_default().push(tell);
            }
        }
        let begins = !batch.is_empty();
        self.under_way += usize::from(begins);
        begins.then_some(batch)
    }
}

/// A statement's place among those that are under way. Its end lets the next one begin.
struct Turn<S: Statement> {
    shared: Arc<Shared<S>>,
    lane: S::Lane,
}

impl<S: Statement> Turn<S> {
    /// Runs the statement, and tells what it says.
    async fn answer(self, batch: Batch<S>) {
        let (shared, lane) = (self.shared.clone(), self.lane.clone());
        let keys: Vec<_> = batch.keys().cloned().collect();
        let mut asked = pin!(shared.statement.answers(&lane, &keys));
        let in_time = timeout(LONG, &mut asked).await;
        drop(self);
        let mut answers = match in_time {
            Ok(answers) => answers,
            Err(_) => asked.await,
        };
        for (key, waiting) in batch {
            let Some(answer) = answers.remove(&key) else { continue };
            tell(waiting, answer);
        }
    }
}

impl<S: Statement> Drop for Turn<S> {
    fn drop(&mut self) {
        self.shared.go_on(self.lane.clone(), |lane| lane.under_way -= 1);
    }
}

/// Tells everybody, of whom some may have gone. The last one has the answer for itself.
fn tell<A: Clone>(mut waiting: Vec<oneshot::Sender<A>>, answer: A) {
    let last = waiting.pop();
    for tell in waiting {
        let _gone = tell.send(answer.clone());
    }
    if let Some(tell) = last {
        let _gone = tell.send(answer);
    }
}

impl<S: Statement> Clone for Gather<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Statement> Default for Lane<S> {
    fn default() -> Self {
        Self { under_way: 0, waiting: VecDeque::new() }
    }
}

impl<S: Statement> fmt::Debug for Gather<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").field("lanes", &self.0.lanes().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use futures::FutureExt;
    use tokio::sync::mpsc;

    use super::*;

    /// A statement that has begun, and waits for what the test lets it say.
    struct Begun {
        lane: char,
        keys: Vec<u32>,
        say: oneshot::Sender<Vec<u32>>,
    }

    impl Begun {
        /// It answers each key by ten times the key.
        fn end(self) {
            let keys = self.keys.clone();
            self.end_with(keys);
        }

        fn end_with(self, keys: Vec<u32>) {
            self.say.send(keys).unwrap();
        }
    }

    struct Played(mpsc::UnboundedSender<Begun>);

    impl Statement for Played {
        type Lane = char;
        type Key = u32;
        type Answer = u32;

        const AT_ONCE: usize = 2;
        const KEYS: usize = 3;

        async fn answers(&self, lane: &char, keys: &[u32]) -> HashMap<u32, u32> {
            let (say, said) = oneshot::channel();
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            self.0.send(Begun { lane: *lane, keys, say }).unwrap();
            let said = said.await.expect("a statement that panics");
            said.into_iter().map(|key| (key, key * 10)).collect()
        }
    }

    struct Server {
        gather: Gather<Played>,
        begun: mpsc::UnboundedReceiver<Begun>,
    }

    type Request = Pin<Box<dyn Future<Output = Option<u32>>>>;

    impl Server {
        fn new() -> Self {
            let (begins, begun) = mpsc::unbounded_channel();
            Self { gather: Gather::new(Played(begins)), begun }
        }

        /// A request that waits for its answer.
        fn request(&self, lane: char, key: u32) -> Request {
            let gather = self.gather.clone();
            let mut request: Request = Box::pin(async move { gather.ask(lane, key).await });
            assert_eq!((&mut request).now_or_never(), None);
            request
        }

        fn requests<const N: usize>(&self, keys: [u32; N]) -> [Request; N] {
            keys.map(|key| self.request('a', key))
        }

        async fn begun(&mut self) -> Begun {
            timeout(Duration::from_secs(30), self.begun.recv()).await.unwrap().unwrap()
        }

        /// That nothing else has begun, whatever was waiting to run.
        async fn is_quiet(&mut self) {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert!(self.begun.try_recv().is_err());
        }

        /// As many statements as may be under way, of keys that nobody else asks for.
        async fn busy(&mut self) -> [(Request, Begun); 2] {
            let [first, second] = self.requests([100, 101]);
            [(first, self.begun().await), (second, self.begun().await)]
        }
    }

    #[tokio::test]
    async fn a_few_begin_at_once_and_alone() {
        let mut server = Server::new();
        let [first, second] = server.requests([1, 2]);
        let (begun, next) = (server.begun().await, server.begun().await);
        assert_eq!((&begun.keys, &next.keys), (&vec![1], &vec![2]));
        next.end();
        assert_eq!(second.await, Some(20));
        begun.end();
        assert_eq!(first.await, Some(10));
    }

    #[tokio::test]
    async fn who_comes_meanwhile_goes_together_when_one_has_ended() {
        let mut server = Server::new();
        let [(first, begun), _second] = server.busy().await;
        let [one, two, three] = server.requests([1, 2, 3]);
        server.is_quiet().await;
        begun.end();
        let together = server.begun().await;
        assert_eq!(together.keys, [1, 2, 3]);
        assert_eq!(first.await, Some(1000));
        together.end();
        assert_eq!((one.await, two.await, three.await), (Some(10), Some(20), Some(30)));
    }

    #[tokio::test]
    async fn nobody_joins_what_has_begun() {
        let mut server = Server::new();
        let early = server.requests([1, 2]);
        let begun = [server.begun().await, server.begun().await];
        let [late] = server.requests([1]);
        server.is_quiet().await;
        let [first, second] = begun;
        first.end();
        assert_eq!(early.into_iter().next().unwrap().await, Some(10));
        let again = server.begun().await;
        assert_eq!(again.keys, [1]);
        second.end();
        again.end();
        assert_eq!(late.await, Some(10));
    }

    #[tokio::test]
    async fn who_asks_for_the_same_shares_an_answer() {
        let mut server = Server::new();
        let [(_first, begun), _second] = server.busy().await;
        let same = server.requests([1, 2, 1, 3, 1]);
        begun.end();
        let together = server.begun().await;
        assert_eq!(together.keys, [1, 2, 3]);
        together.end();
        assert_eq!(futures::future::join_all(same).await, [10, 20, 10, 30, 10].map(Some));
    }

    #[tokio::test]
    async fn of_more_than_one_statement_takes_the_first_go_first() {
        let mut server = Server::new();
        let [(_first, begun), (_second, next)] = server.busy().await;
        let requests = server.requests([9, 8, 7, 6, 9]);
        begun.end();
        let begun = server.begun().await;
        assert_eq!(begun.keys, [7, 8, 9]);
        server.is_quiet().await;
        next.end();
        let next = server.begun().await;
        assert_eq!(next.keys, [6, 9]);
        begun.end();
        next.end();
        assert_eq!(futures::future::join_all(requests).await, [90, 80, 70, 60, 90].map(Some));
    }

    #[tokio::test]
    async fn who_goes_away_takes_no_other_with_it() {
        let mut server = Server::new();
        let [(first, begun), (second, other)] = server.busy().await;
        let [one, two, three] = server.requests([1, 2, 3]);
        drop((first, one));
        begun.end();
        let together = server.begun().await;
        assert_eq!(together.keys, [2, 3], "nobody waits for 1");
        drop(two);
        together.end();
        assert_eq!(three.await, Some(30));
        other.end();
        assert_eq!(second.await, Some(1010));
    }

    #[tokio::test]
    async fn a_panic_and_what_is_left_out_are_no_answers() {
        let mut server = Server::new();
        let [(first, begun), (second, other)] = server.busy().await;
        let [one, two] = server.requests([1, 2]);
        drop(begun.say);
        assert_eq!(first.await, None);
        let together = server.begun().await;
        together.end_with(vec![2]);
        assert_eq!((one.await, two.await), (None, Some(20)));
        other.end();
        assert_eq!(second.await, Some(1010));
    }

    #[tokio::test]
    async fn what_takes_long_keeps_nobody_waiting() {
        let mut server = Server::new();
        let [(first, slow), (second, slower)] = server.busy().await;
        let [one] = server.requests([1]);
        server.begun().await.end();
        assert_eq!(one.await, Some(10));
        slow.end();
        slower.end();
        assert_eq!((first.await, second.await), (Some(1000), Some(1010)));
    }

    #[tokio::test]
    async fn lanes_have_nothing_to_do_with_each_other() {
        let mut server = Server::new();
        let busy = server.busy().await;
        let other = server.request('b', 100);
        let begun = server.begun().await;
        assert_eq!((begun.lane, &begun.keys), ('b', &vec![100]));
        begun.end();
        assert_eq!(other.await, Some(1000));
        for (request, begun) in busy {
            begun.end();
            assert!(request.await.is_some());
        }
        assert!(server.gather.0.lanes().is_empty(), "nothing is kept of what is over");
    }
}

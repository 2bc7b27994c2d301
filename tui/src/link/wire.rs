use std::time::Duration;

use rldeck_agent::{home::Home, now};
use rldeck_core::run::{Action, Outcome, Request};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::client::{Client, Watch, request_id, who};
use crate::console::wire::{LinkState, News, Wire};

/// News that wait for the console; a console that stands still holds the stream back, and gets the full state anew if it takes too long.
const QUEUE: usize = 64;
/// Between attempts to reach the controller.
const RETRY: Duration = Duration::from_millis(200);
/// A request whose answer was lost with the link is sent again for so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the round trip is measured.
const PING: Duration = Duration::from_secs(2);

/// Opens a wire to the controller of this home that heals itself.
pub(crate) fn open(home: Home) -> Wire {
    let (news, console) = mpsc::channel(QUEUE);
    let (requests, asked) = mpsc::channel(QUEUE);
    tokio::spawn(watch(home.clone(), news.clone()));
    tokio::spawn(ask(home, asked, news));
    Wire { news: console, requests }
}

/// Keeps the console's deck in step: resumes after the last delta it was given.
async fn watch(home: Home, news: mpsc::Sender<News>) {
    let (mut epoch, mut seq) = (0, 0);
    let (mut since, mut was_up) = (now(), false);
    loop {
        let why = match connect(&home, epoch, seq).await {
            Ok((mut client, mut stream)) => {
                was_up = true;
                let mut ping = tokio::time::interval(PING);
                let mut parts = Vec::new();
                loop {
                    tokio::select! {
                        delta = stream.next() => match delta {
                            // Half a state is neither shown nor resumed after.
                            Ok((delta, false)) => parts.extend(delta.changes),
                            Ok((mut delta, true)) => {
                                (epoch, seq) = (delta.epoch, delta.seq);
                                if !parts.is_empty() {
                                    parts.append(&mut delta.changes);
                                    delta.changes = std::mem::take(&mut parts);
                                }
                                if news.send(News::Delta(delta)).await.is_err() {
                                    return;
                                }
                            }
                            Err(why) => break why,
                        },
                        _ = ping.tick() => {
                            let begun = Instant::now();
                            if let Err(why) = client.ping().await {
                                break why;
                            }
                            let round_trip_ms = begun.elapsed().as_secs_f32() * 1000.0;
                            if news.send(News::Link(LinkState::Up { round_trip_ms })).await.is_err() {
                                return;
                            }
                        }
                    }
                }
            }
            Err(why) => why,
        };
        if was_up {
            since = now();
            was_up = false;
        }
        let state = match epoch {
            0 => LinkState::Connecting { since, why },
            _ => LinkState::Lost { since, why },
        };
        if news.send(News::Link(state)).await.is_err() {
            return;
        }
        sleep(RETRY).await;
    }
}

async fn connect(home: &Home, epoch: u64, seq: u64) -> Result<(Client, Watch), String> {
    let mut client = Client::connect(home).await?;
    let stream = client.watch(epoch, seq).await?;
    Ok((client, stream))
}

/// Carries requests over; each is answered once.
async fn ask(home: Home, mut asked: mpsc::Receiver<Action>, news: mpsc::Sender<News>) {
    while let Some(action) = asked.recv().await {
        let request = Request { id: request_id(), who: who(), action: action.clone() };
        let deadline = Instant::now() + PATIENCE;
        let outcome = loop {
            match try_ask(&home, request.clone()).await {
                Ok(outcome) => break outcome,
                Err(_) if Instant::now() < deadline => sleep(RETRY).await,
                Err(why) => {
                    let text = format!("not known whether it was done: {why}");
                    break Outcome { accepted: false, text, tune: None };
                }
            }
        };
        if news.send(News::Answer { action, outcome }).await.is_err() {
            return;
        }
    }
}

async fn try_ask(home: &Home, request: Request) -> Result<Outcome, String> {
    Client::connect(home).await?.ask(request).await
}

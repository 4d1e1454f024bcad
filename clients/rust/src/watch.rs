//! What changes, as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::answers::WatchEvent;
use crate::codec::Strict;
use crate::errors::Error;
use crate::{reading, v1};

const PATH: &str = "/authz.v1.AuthorizationService/Watch";

/// A stream of changes. It ends when the server ends it, and with the first error;
/// dropping it ends the call.
#[must_use = "a stream says nothing unless it is read"]
pub struct Watch {
    stream: Option<Streaming<v1::WatchResponse>>,
}

impl Watch {
    pub(crate) async fn begin(channel: Channel, asked: v1::WatchRequest) -> Result<Self, Error> {
        let mut grpc = Grpc::new(channel);
        let ready = grpc.ready().await;
        ready.map_err(|error| Error::of(&Status::from_error(Box::new(error))))?;
        let codec = Strict::<v1::WatchRequest, v1::WatchResponse>::default();
        let path = PathAndQuery::from_static(PATH);
        let begun = grpc.server_streaming(Request::new(asked), path, codec);
        let stream = begun.await.map_err(|status| Error::of(&status))?;
        Ok(Self {
            stream: Some(stream.into_inner()),
        })
    }

    /// The next event; none after the end.
    pub async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Watch {
    type Item = Result<WatchEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(None);
        };
        let event = match std::task::ready!(Pin::new(stream).poll_next(context)) {
            Some(Ok(message)) => Some(reading::watch_event(message)),
            Some(Err(status)) => Some(Err(Error::of(&status))),
            None => None,
        };
        if !matches!(event, Some(Ok(_))) {
            self.stream = None;
        }
        Poll::Ready(event)
    }
}

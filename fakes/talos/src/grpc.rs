//! Calls, as they come in and are answered.

use http::{Request, Response};
use hyper::body::Incoming;
use prost::Message;
use tokio_stream::Iter;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Response as Answer, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

/// A message, and what came with it.
pub(crate) struct Call<Q> {
    pub(crate) message: Q,
    pub(crate) metadata: MetadataMap,
}

impl<Q> Call<Q> {
    fn of(request: tonic::Request<Q>) -> Self {
        let (metadata, _, message) = request.into_parts();
        Self { message, metadata }
    }
}

/// What is answered with a stream: it is known from the beginning.
pub(crate) type Pieces<P> = Iter<std::vec::IntoIter<Result<P, Status>>>;

/// Answers a call with a message.
pub(crate) async fn unary<Q, P>(
    request: Request<Incoming>,
    answer: impl Fn(Call<Q>) -> Result<Answer<P>, Status> + Send,
) -> Response<Body>
where
    Q: Message + Default + Send + 'static,
    P: Message + Send + 'static,
{
    let service = service_fn(move |request: tonic::Request<Q>| std::future::ready(answer(Call::of(request))));
    Grpc::new(ProstCodec::<P, Q>::default()).unary(service, request).await
}

/// Answers a call with a stream of messages.
pub(crate) async fn stream<Q, P>(
    request: Request<Incoming>,
    answer: impl Fn(Call<Q>) -> Result<Vec<P>, Status> + Send,
) -> Response<Body>
where
    Q: Message + Default + Send + 'static,
    P: Message + Send + 'static,
{
    let service = service_fn(move |request: tonic::Request<Q>| {
        let pieces = answer(Call::of(request));
        let pieces = pieces.map(|it| it.into_iter().map(Ok).collect::<Vec<_>>());
        std::future::ready(pieces.map(|it| Answer::new(tokio_stream::iter(it) as Pieces<P>)))
    });
    Grpc::new(ProstCodec::<P, Q>::default()).server_streaming(service, request).await
}

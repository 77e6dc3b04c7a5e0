//! Responses.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde_json::Value;

use crate::ApiError;

/// The body of a response.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;
/// A response, or why there is none.
pub(super) type Answer = Result<Response<Body>, ApiError>;

pub(super) const JSON: &str = "application/json";

/// A response with bytes of a content type.
pub(super) fn bytes(code: StatusCode, content_type: &str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body).boxed_unsync());
    *response.status_mut() = code;
    set_type(&mut response, content_type);
    response
}

/// A JSON response.
pub(super) fn json(code: StatusCode, body: &Value) -> Response<Body> {
    bytes(code, JSON, Bytes::from(body.to_string()))
}

/// A plain text.
pub(super) fn text(body: &str) -> Response<Body> {
    bytes(StatusCode::OK, "text/plain; charset=utf-8", Bytes::copy_from_slice(body.as_bytes()))
}

/// A response whose body comes piece by piece.
pub(super) fn stream(content_type: &str, body: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let frames = body.map(|piece| Ok(Frame::data(piece)));
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames)));
    set_type(&mut response, content_type);
    response
}

/// The `Status` of an error.
pub(super) fn error(error: &ApiError) -> Response<Body> {
    let code = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(code, &error.status())
}

fn set_type(response: &mut Response<Body>, content_type: &str) {
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
}

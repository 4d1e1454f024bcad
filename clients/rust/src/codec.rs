//! Messages as bytes; an answer that cannot be decoded is told from a server's error.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

use crate::errors::Undecodable;

/// Encodes `R`, decodes `M`.
pub(crate) struct Strict<R, M>(PhantomData<(R, M)>);

impl<R, M> Default for Strict<R, M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<R, M> Codec for Strict<R, M>
where
    R: Message + Send + 'static,
    M: Message + Default + Send + 'static,
{
    type Encode = R;
    type Decode = M;
    type Encoder = ProstEncoder<R>;
    type Decoder = StrictDecoder<M>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        StrictDecoder(PhantomData)
    }
}

pub(crate) struct StrictDecoder<M>(PhantomData<M>);

impl<M: Message + Default> Decoder for StrictDecoder<M> {
    type Item = M;
    type Error = Status;

    fn decode(&mut self, data: &mut DecodeBuf<'_>) -> Result<Option<M>, Status> {
        match M::decode(data) {
            Ok(message) => Ok(Some(message)),
            Err(_) => Err(Status::from_error(Box::new(Undecodable))),
        }
    }
}

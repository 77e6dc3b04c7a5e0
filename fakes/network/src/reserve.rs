//! Ports that stay ours while nobody listens.
//!
//! A stopped server must look stopped: the kernel itself has to turn clients away, with a reset over TCP and an ICMP "port
//! unreachable" over UDP. And its port must not be given to anybody else meanwhile, or the server could not come back. So each
//! server keeps a *guard* on its port, a socket that takes nothing:
//!
//! * TCP: bound, but never listening.
//! * UDP: bound and connected to itself, so that no other sender's datagram is for it.
//!
//! The serving sockets come and go beside the guard (`SO_REUSEADDR` on both). The UDP guard binds *before* it allows reuse, so
//! a port that somebody else has is an error and not shared.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

const BACKLOG: i32 = 1024;
const FREE_PORT_TRIES: usize = 32;

/// A TCP port.
#[derive(Debug)]
pub(crate) struct ReservedTcp {
    _guard: Socket,
    address: SocketAddr,
}

impl ReservedTcp {
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        let guard = bound_tcp(address)?;
        let address = local_address(&guard)?;
        Ok(Self { _guard: guard, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        let socket = bound_tcp(self.address)?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    }
}

/// A UDP port.
#[derive(Debug)]
pub(crate) struct ReservedUdp {
    _guard: Socket,
    address: SocketAddr,
}

impl ReservedUdp {
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        let guard = udp(address)?;
        guard.bind(&address.into())?;
        let address = local_address(&guard)?;
        guard.connect(&address.into())?;
        guard.set_reuse_address(true)?;
        Ok(Self { _guard: guard, address })
    }

    pub(crate) fn open(&self) -> io::Result<UdpSocket> {
        let socket = udp(self.address)?;
        socket.set_reuse_address(true)?;
        socket.bind(&self.address.into())?;
        UdpSocket::from_std(socket.into())
    }
}

/// The same port over UDP and TCP; port 0 takes one that is free for both.
pub(crate) fn reserve_both(address: SocketAddr) -> io::Result<(ReservedUdp, ReservedTcp)> {
    let tries = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..tries {
        let udp = ReservedUdp::new(address)?;
        match ReservedTcp::new(udp.address) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn udp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bound_tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?;
    address.as_socket().ok_or_else(|| io::Error::other("bound to something that is no IP address"))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::reserve_both;

    #[tokio::test]
    async fn a_reserved_port_is_nobody_elses_and_can_be_opened_again_and_again() {
        let (udp, tcp) = reserve_both("127.77.1.1:0".parse().unwrap()).unwrap();
        for _ in 0..3 {
            let (_socket, _listener) = (udp.open().unwrap(), tcp.listen().unwrap());
            let taken = reserve_both(tcp.address()).unwrap_err();
            assert_eq!(taken.kind(), ErrorKind::AddrInUse);
            assert_eq!(std::net::TcpListener::bind(tcp.address()).unwrap_err().kind(), ErrorKind::AddrInUse);
        }
        assert_eq!(std::net::UdpSocket::bind(tcp.address()).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}

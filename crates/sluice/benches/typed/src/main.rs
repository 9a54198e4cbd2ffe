//! A proxy of typed messages, both ends rmcp: what the frames of `sluice gateway` are measured beside. It judges and records nothing.
//!
//! `typed-proxy CMD…` starts the server and speaks for it on standard input and output.

use rmcp::model::{ClientNotification, ClientRequest, ErrorData, ServerConfig, ServerResult};
use rmcp::service::{NotificationContext, RequestContext, RunningService, ServiceError};
use rmcp::transport::{TokioChildProcess, stdio};
use rmcp::{RoleClient, RoleServer, Service, ServiceExt as _};
use tokio::process::Command;

struct Proxy {
    upstream: RunningService<RoleClient, ()>,
    info: ServerConfig,
}

impl Service<RoleServer> for Proxy {
    async fn handle_request(
        &self,
        request: ClientRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        if let ClientRequest::InitializeRequest(_) = request {
            return Ok(ServerResult::InitializeResult(self.info.clone()));
        }
        self.upstream.peer().send_request(request).await.map_err(|error| match error {
            ServiceError::McpError(error) => error,
            other => ErrorData::internal_error(other.to_string(), None),
        })
    }

    async fn handle_notification(
        &self,
        _: ClientNotification,
        _: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn get_info(&self) -> ServerConfig {
        self.info.clone()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args_os().skip(1);
    let mut command = Command::new(words.next().ok_or("which server?")?);
    command.args(words);
    let upstream = ().serve(TokioChildProcess::new(command)?).await?;
    let told = upstream.peer_info().ok_or("the server told nothing of itself")?;
    let mut info = ServerConfig::new(told.capabilities.clone());
    info.protocol_version = told.protocol_version.clone();
    info.instructions = told.instructions.clone();
    info.server_info = told.server_info.clone().unwrap_or(info.server_info);
    Proxy { upstream, info }.serve(stdio()).await?.waiting().await?;
    Ok(())
}

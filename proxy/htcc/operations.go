package htcc

// The labels of the calls, in metrics.
const (
	OpLogin          = "login"
	OpGetMe          = "get_me"
	OpPostMe         = "post_me"
	OpPostChannel    = "post_channel"
	OpPostDevice     = "post_device"
	OpEndSession     = "end_session"
	OpGetAgentStates = "get_agent_states"
	OpVersion        = "version"
	OpHandshake      = "handshake"
	OpConnect        = "connect"
	OpSubscribe      = "subscribe"
	OpDisconnect     = "disconnect"
	OpPassthrough    = "passthrough"
)

var operations = []string{
	OpLogin, OpGetMe, OpPostMe, OpPostChannel, OpPostDevice, OpEndSession, OpGetAgentStates,
	OpVersion, OpHandshake, OpConnect, OpSubscribe, OpDisconnect, OpPassthrough,
}

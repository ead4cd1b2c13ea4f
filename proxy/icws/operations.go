package icws

// The labels of the calls, in metrics.
const (
	OpLogin             = "login"
	OpLogout            = "logout"
	OpGetUserStatus     = "get_user_status"
	OpSetUserStatus     = "set_user_status"
	OpGetStatusMessages = "get_status_messages"
	OpGetUserAccess     = "get_user_access"
	OpGetActivations    = "get_activations"
	OpSetActivations    = "set_activations"
	OpSubscribe         = "subscribe"
	OpMessages          = "messages"
	OpVersion           = "version"
	OpFeatures          = "features"
	OpServerInfo        = "server_info"
	OpConnection        = "connection"
	OpHeartbeat         = "heartbeat"
	OpPassthrough       = "passthrough"
)

var operations = []string{
	OpLogin, OpLogout, OpGetUserStatus, OpSetUserStatus, OpGetStatusMessages, OpGetUserAccess,
	OpGetActivations, OpSetActivations, OpSubscribe, OpMessages, OpVersion, OpFeatures,
	OpServerInfo, OpConnection, OpHeartbeat, OpPassthrough,
}

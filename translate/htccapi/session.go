package htccapi

// ChannelMultimedia stands for all channels but voice where StartContactCenterSession reports what
// succeeded and what failed.
const ChannelMultimedia MediaChannel = "multimedia"

// StateLoggedIn is what a device shows, without id or displayName, between its log-in and the
// state that the switch gives it.
const StateLoggedIn = "LoggedIn"

// Values of workmode, which Ready may carry on /me/channels/voice; in states it is spelled workMode.
//
// Source: GWS 8.5.2, AgentStateReady.
const (
	WorkModeManualIn = "ManualIn"
	WorkModeAutoIn   = "AutoIn"
)

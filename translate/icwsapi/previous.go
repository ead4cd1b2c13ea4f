package icwsapi

// UserStatusPreviousInfo is what a user last entered beside one status. It pre-fills a form; it is
// no history.
type UserStatusPreviousInfo struct {
	StatusID      string `json:"statusId"`
	Notes         string `json:"notes"`
	ForwardNumber string `json:"forwardNumber,omitempty"`
}

// UserStatusPreviousInfos is the body of GET .../status/user-status-previous-info/{userId}.
type UserStatusPreviousInfos struct {
	UserStatusPreviousInfoList []UserStatusPreviousInfo `json:"userStatusPreviousInfoList"`
}

// UserStatusPreviousInfoMessage carries the same to the user's own sessions.
type UserStatusPreviousInfoMessage struct {
	Head
	UserStatusPreviousInfoList []UserStatusPreviousInfo `json:"userStatusPreviousInfoList"`
}

package htccapi

// SettingsGroup is an entry of GET /settings.
type SettingsGroup struct {
	DisplayName string `json:"displayName"`
	URI         string `json:"uri"`
}

// NamedSetting is an entry of a settings group whose key is KeyName.
type NamedSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// KeyName is SettingsAnswer.Key of groups whose entries are told apart by name.
const KeyName = "name"

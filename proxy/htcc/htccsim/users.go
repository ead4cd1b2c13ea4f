package htccsim

import (
	"crypto/sha256"
	"fmt"

	"portico/translate/htccapi"
)

// User is a person who may log in, as they are at the start.
type User struct {
	UserName  string
	Password  string
	FirstName string
	LastName  string
	Roles     []string // nil: ROLE_AGENT

	// Phone is the number of the device on the user's own place; empty means no voice.
	Phone string

	// Channels are the media channels besides voice.
	Channels []htccapi.MediaChannel

	Skills   []Skill
	Settings htccapi.SettingSections
}

// Skill is something a user can do, at a level.
type Skill struct {
	Name  string
	Level int
}

// RoleSupervisor lets a user change other agents' channels.
const RoleSupervisor = "ROLE_SUPERVISOR"

// StockUsers returns the users of the zero Server: two agents, and a supervisor, who is an agent too.
func StockUsers() []User {
	settings := func() htccapi.SettingSections {
		return htccapi.SettingSections{"interaction-workspace": {"login.voice.isselected": "True", "login.chat.isselected": "True"}}
	}
	return []User{
		{UserName: "bjorn", Password: "bjorn", FirstName: "Björn", LastName: "Lind", Phone: "5101",
			Channels: []htccapi.MediaChannel{"chat"}, Skills: []Skill{{"Billing", 8}}, Settings: settings()},
		{UserName: "cleo", Password: "cleo", FirstName: "Cleo", LastName: "Stern", Phone: "5102",
			Channels: []htccapi.MediaChannel{"chat", "email"}, Skills: []Skill{{"Billing", 5}, {"English", 9}}, Settings: settings()},
		{UserName: "dana", Password: "dana", FirstName: "Dana", LastName: "Roth", Roles: []string{htccapi.RoleAgent, RoleSupervisor}, Phone: "5103",
			Channels: []htccapi.MediaChannel{"chat"}, Settings: settings()},
	}
}

// contactCenter is the id of the one contact centre.
const contactCenter = "1f0a7a5e-52a7-4a2c-9b6c-0f2f6a0d9c01"

// voiceEnvironment is the id of the one switch, which is the id of its service too.
const voiceEnvironment = "7d0e4f1a-3b62-4a55-8f8e-6d5b4c3a2f10"

// switchName is the switch's name as voice channels show it.
const switchName = "SIP_Switch"

// plainID makes the id of a user or skill from its name: 32 hex digits without dashes, the same in
// every run.
func plainID(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + " " + name))
	return fmt.Sprintf("%x", sum[:16])
}

// uuid makes the id of a device from its number.
func uuid(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + " " + name))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

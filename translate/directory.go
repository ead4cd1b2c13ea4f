package translate

import (
	"crypto/sha256"
	"strings"

	"github.com/google/uuid"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// A Directory is what one agent's statuses are looked up in: the site's catalogue and what of it
// the agent may be given, with every answer worked out beforehand. It is immutable; agents with the
// same catalogue and access list can share one.
type Directory struct {
	Catalogue *Catalogue
	Access    *Access

	namespace uuid.UUID
	telephony string                                      // uri of the voice environment of all devices
	choose    map[htccapi.Operation]icwsapi.StatusMessage // what carries out a system operation
	site      map[htccapi.Operation]icwsapi.StatusMessage // what would, could the agent choose every status
	stands    map[string]htccapi.Operation                // whose state a status shows as, by folded id
	settings  map[string]htccapi.AgentStateSetting        // what each status shows as, by folded id
	states    []htccapi.AgentStateSetting                 // those the agent may choose
	byName    map[htccapi.Operation]icwsapi.StatusMessage // custom states, chosen or not
}

// NewDirectory works out the directory of an agent.
func (r Rules) NewDirectory(catalogue *Catalogue, access *Access) *Directory {
	d := &Directory{
		Catalogue: catalogue, Access: access, namespace: Namespace(r.Site),
		telephony: r.PublicURL + "/api/v2/voice-environments/" + Namespace(r.Site).String(),
		choose:    map[htccapi.Operation]icwsapi.StatusMessage{},
		site:      map[htccapi.Operation]icwsapi.StatusMessage{},
		stands:    map[string]htccapi.Operation{},
		settings:  map[string]htccapi.AgentStateSetting{},
		byName:    map[htccapi.Operation]icwsapi.StatusMessage{},
	}
	for _, p := range purposes {
		d.assign(r, p)
	}
	for _, p := range purposes {
		d.show(r, p)
	}
	for _, message := range catalogue.Messages() {
		d.settings[fold(message.StatusID)] = d.settingOf(message)
		d.byName[catalogue.Name(message.StatusID).Operation] = message
	}
	d.states = d.agentStates()
	return d
}

// assign finds the status for a purpose among those the agent can choose, and among all.
func (d *Directory) assign(r Rules, p purpose) {
	message, found := r.find(p, d.Catalogue, d.Choosable)
	if found {
		d.choose[p.op] = message
	}
	message, found = r.find(p, d.Catalogue, func(icwsapi.StatusMessage) bool { return true })
	if found {
		d.site[p.op] = message
	}
}

// show settles which statuses show as a purpose's state: what the agent can choose for it and, since a
// supervisor or the system can set it, the status of the policy; without either, what would do.
func (d *Directory) show(r Rules, p purpose) {
	var statuses []icwsapi.StatusMessage
	chosen, found := d.StatusFor(p.op)
	if found {
		statuses = append(statuses, chosen)
	}
	policy := r.policy(p, d.Catalogue)
	if len(policy) > 0 {
		statuses = append(statuses, policy[0])
	}
	site, found := d.site[p.op]
	if found && len(statuses) == 0 {
		statuses = append(statuses, site)
	}
	for _, message := range statuses {
		_, taken := d.stands[fold(message.StatusID)]
		if !taken {
			d.stands[fold(message.StatusID)] = p.op
		}
	}
}

// Choosable reports whether the agent can choose the status.
func (d *Directory) Choosable(m icwsapi.StatusMessage) bool {
	return m.IsSelectableStatus && d.Access.Has(m.StatusID)
}

// StatusFor returns the status that carries out an operation that a status stands for, such as Ready
// or DoNotDisturbOn, among those the agent can choose: the one in the settings, else the stock one,
// else the first whose flags fit, in server order. false: there is none.
func (d *Directory) StatusFor(op htccapi.Operation) (icwsapi.StatusMessage, bool) {
	message, found := d.choose[op]
	return message, found
}

// IsDND reports whether the status is the site's do-not-disturb status. Other statuses with the
// flag (lunch, meetings) are not: they would lose their reason.
func (d *Directory) IsDND(statusID string) bool {
	return d.stands[fold(statusID)] == htccapi.DoNotDisturbOn
}

// IsACD reports whether ACD work is routed to an agent who is in the status.
func (d *Directory) IsACD(statusID string) bool {
	message, known := d.Catalogue.ByID(statusID)
	return known && message.IsACDStatus
}

// endsWish reports whether an agent who is given the status by someone else no longer wants to be
// Ready: after-call work and what the system alone can set pass by themselves.
func (d *Directory) endsWish(statusID string) bool {
	message, known := d.Catalogue.ByID(statusID)
	if !known {
		return true
	}
	return !message.IsACDStatus && !message.IsAfterCallWorkStatus && message.IsSelectableStatus
}

// SettingOf returns the HTCC state that a status is shown as: a system state where the status is
// the site's for that purpose, else a custom state with the status's text and, unless it is a
// Ready one, its id as reason. A status that the catalogue does not know shows as NotReady under
// its raw id; none at all shows as plain NotReady.
func (d *Directory) SettingOf(statusID string) htccapi.AgentStateSetting {
	if statusID == "" {
		return htccapi.SettingNotReady
	}
	setting, known := d.settings[fold(statusID)]
	if known {
		return setting
	}
	id := uuid.NewSHA1(d.namespace, []byte(fold(statusID)))
	return htccapi.AgentStateSetting{ID: strings.ToUpper(id.String()), OperationName: htccapi.Operation(camelCase(statusID)),
		DisplayName: statusID, State: htccapi.StateNotReady, Reason: statusID}
}

func (d *Directory) settingOf(message icwsapi.StatusMessage) htccapi.AgentStateSetting {
	for _, p := range purposes {
		if p.isState() && d.stands[fold(message.StatusID)] == p.op {
			return p.shown
		}
	}
	name := d.Catalogue.Name(message.StatusID)
	setting := htccapi.AgentStateSetting{ID: name.ID, OperationName: name.Operation, DisplayName: message.MessageText}
	if message.IsACDStatus && !message.IsAfterCallWorkStatus {
		setting.State = htccapi.StateReady
		return setting
	}
	setting.State = htccapi.StateNotReady
	setting.Reason = message.StatusID
	if message.IsAfterCallWorkStatus {
		setting.WorkMode = htccapi.WorkModeAfterCallWork
	}
	return setting
}

// OperationFor returns the operationName that leads to the status.
func (d *Directory) OperationFor(statusID string) htccapi.Operation {
	if d.IsDND(statusID) {
		return htccapi.DoNotDisturbOn
	}
	return d.SettingOf(statusID).OperationName
}

// AgentStates returns the states the agent may choose: the system states that some status carries
// out, Offline, and a custom state for every other status the agent can choose, in server order.
// Statuses that need a forward number and the do-not-disturb status are not among them. The caller
// must not change the list.
func (d *Directory) AgentStates() []htccapi.AgentStateSetting { return d.states }

func (d *Directory) agentStates() []htccapi.AgentStateSetting {
	states := []htccapi.AgentStateSetting{}
	for _, p := range purposes {
		_, found := d.StatusFor(p.op)
		if p.isState() && (found || p.op == htccapi.Offline) {
			states = append(states, p.shown)
		}
	}
	for _, message := range d.Catalogue.Messages() {
		_, system := d.stands[fold(message.StatusID)]
		if d.Choosable(message) && !message.IsForwardStatus && !system {
			states = append(states, d.settings[fold(message.StatusID)])
		}
	}
	return states
}

// custom returns the status whose custom state op names. It is not the status of a system state
// or of do-not-disturb, which are reached by their own operations.
func (d *Directory) custom(op htccapi.Operation) (icwsapi.StatusMessage, bool) {
	message, known := d.byName[op]
	_, system := d.stands[fold(message.StatusID)]
	return message, known && !system
}

// Digest returns a digest of all the directory depends on but the rules: within one site, equal
// directories have equal ones.
func (d *Directory) Digest() [sha256.Size]byte {
	catalogue, access := d.Catalogue.Digest(), d.Access.Digest()
	return sha256.Sum256(append(catalogue[:], access[:]...))
}

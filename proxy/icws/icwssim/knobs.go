package icwssim

import (
	"encoding/json"
	"fmt"
	"strings"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// knobs are the fields of Server that can be set while it runs, under their own names.
func (s *Server) knobs() simulation.Knobs {
	return simulation.Knobs{
		simulation.At("alternateHosts", &s.AlternateHosts, nil),
		simulation.At("announceSameStatus", &s.AnnounceSameStatus, nil),
		simulation.At("backup", &s.Backup, nil),
		simulation.At("completionFirst", &s.CompletionFirst, nil),
		simulation.At("idleTimeout", &s.IdleTimeout, nil),
		simulation.At("keepLoggedOut", &s.KeepLoggedOut, nil),
		simulation.At("lenient", &s.Lenient, nil),
		simulation.At("licenceRefusal", &s.LicenceRefusal, checkRefusal),
		simulation.At("licenceStatuses", &s.LicenceStatuses, checkLicences),
		simulation.At("loseCompletions", &s.LoseCompletions, nil),
		simulation.At("messagingVersion", &s.MessagingVersion, checkMessaging),
		simulation.At("noHeartbeat", &s.NoHeartbeat, nil),
		simulation.At("pingInterval", &s.PingInterval, simulation.NotNegative),
		simulation.At("refuseAsync", &s.RefuseAsync, nil),
		simulation.At("rememberEnded", &s.RememberEnded, nil),
		simulation.At("revertAtUntil", &s.RevertAtUntil, nil),
		simulation.At("stations", &s.Stations, nil),
		simulation.At("statusAtLogout", &s.StatusAtLogout, s.checkStatus),
		simulation.At("streamMaxAge", &s.StreamMaxAge, simulation.NotNegative),
	}
}

func (s *Server) settings() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knobs().Values()
}

// changeSettings returns all settings as they are then. Sessions that are open have the new idle time, from their last
// call on.
func (s *Server) changeSettings(asked map[string]json.RawMessage) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	knobs := s.knobs()
	err := knobs.Turn(asked)
	if err != nil {
		return nil, fmt.Errorf("icwssim: %w", err)
	}
	for _, session := range s.sessions {
		s.armIdle(session)
	}
	return knobs.Values(), nil
}

func checkRefusal(status int) error {
	if status != 0 && (status < 400 || status > 599) {
		return fmt.Errorf("%d: want an HTTP status of 400 to 599", status)
	}
	return nil
}

func checkLicences(statuses map[string]int) error {
	for name, status := range statuses {
		if status < icwsapi.LicenseUnknownError || status > icwsapi.LicenseUnknown {
			return fmt.Errorf("%d for %q: want a licenseStatus of 0 to 9", status, name)
		}
	}
	return nil
}

func checkMessaging(version int) error {
	if version < 0 || version > 2 {
		return fmt.Errorf("%d: want 1 or 2", version)
	}
	return nil
}

func (s *Server) checkStatus(id string) error {
	if id != "" && s.status(id) == nil {
		return fmt.Errorf("unknown status %q: want one of %s", id, strings.Join(s.statusIDs(), "; "))
	}
	return nil
}

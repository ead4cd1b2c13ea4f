package icwssim

import (
	"bytes"
	"maps"
	"net/http"
	"slices"

	"portico/translate/icwsapi"
)

// changeLicences answers POST (acquire), PUT (have these and no others) and DELETE (release) of
// .../licenses. A licence is there for everybody but those hit by the scenario no-licence, unless LicenceStatuses
// says otherwise. A DELETE without a body releases all.
//
// Source: the calls of a Ruby client.
func changeLicences(s *Server, c *call) reply {
	method, had := c.request.Method, maps.Clone(c.session.licences)
	defer func() { c.session.tellLicences(had) }()
	if method == http.MethodDelete && len(bytes.TrimSpace(c.body)) == 0 {
		clear(c.session.licences)
		return empty(http.StatusOK)
	}
	var asked icwsapi.LicenseList
	refusal, refused := decode(c.body, &asked, "licenseList")
	if refused {
		return refusal
	}
	if method == http.MethodPut {
		clear(c.session.licences)
	}
	isRefused := s.faults.Take(noLicence, c.userName, c.host) != nil
	results := icwsapi.LicenseOperationResults{LicenseOperationResultList: []icwsapi.LicenseOperationResult{}}
	for _, name := range asked.LicenseList {
		result := s.licence(name, isRefused)
		result.ErrorDetails = c.session.language.say(result.ErrorDetails)
		c.session.licences[name] = method != http.MethodDelete && result.IsAvailable
		results.LicenseOperationResultList = append(results.LicenseOperationResultList, result)
	}
	return success(results)
}

// licence says what comes of a request for the licence.
func (s *Server) licence(name string, isRefused bool) icwsapi.LicenseOperationResult {
	result := icwsapi.LicenseOperationResult{LicenseName: name, LicenseStatus: icwsapi.LicenseAvailable}
	if status, isSet := s.LicenceStatuses[name]; isSet {
		result.LicenseStatus = status
	}
	if isRefused {
		result.LicenseStatus = icwsapi.LicenseUnavailable
	}
	result.IsAvailable = result.LicenseStatus == icwsapi.LicenseAvailable
	if !result.IsAvailable {
		result.ErrorDetails = "The license is not available."
	}
	return result
}

// tellLicences sends those of the licences subscribed to that the session has now and had not before, or the other way
// round.
func (session *session) tellLicences(had map[string]bool) {
	var changed []string
	for _, name := range session.subs.licences {
		if session.licences[name] != had[name] {
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		session.send(session.licenceMessage(changed, true))
	}
}

func (session *session) licenceMessage(names []string, isDelta bool) icwsapi.LicenseMessage {
	message := icwsapi.LicenseMessage{
		Head:                      icwsapi.Head{Type: icwsapi.TypeLicense, IsDelta: isDelta},
		LicenseAssignedStatusList: []icwsapi.LicenseAssignedStatus{},
	}
	for _, name := range names {
		message.LicenseAssignedStatusList = append(message.LicenseAssignedStatusList,
			icwsapi.LicenseAssignedStatus{Name: name, IsAssigned: session.licences[name]})
	}
	return message
}

func subscribeLicences(_ *Server, c *call) reply {
	var asked icwsapi.LicenseList
	refusal, refused := decode(c.body, &asked, "licenseList")
	if refused {
		return refusal
	}
	names := slices.Clone(asked.LicenseList)
	slices.Sort(names)
	c.session.subs.licences = slices.Compact(names)
	c.session.send(c.session.licenceMessage(asked.LicenseList, false))
	return empty(http.StatusOK)
}

func unsubscribeLicences(_ *Server, c *call) reply {
	c.session.subs.licences = nil
	return empty(http.StatusOK)
}

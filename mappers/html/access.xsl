<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0

     Who looked: the resident's $access-history Bundle (AuditEvent, IHE BALP) as a table in plain words. View: that Bundle itself,
     or {bundle, name, home, next, other} with the resident's name and addresses. Times are written in JST by the server. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:include href="frame.xsl"/>
  <xsl:variable name="b" select="/page/view[resourceType = 'Bundle'] | /page/view/bundle"/>
  <xsl:variable name="events" select="$b/entry/item/resource[resourceType = 'AuditEvent']"/>
  <xsl:variable name="opened" select="$events[subtype/item/code = 'break-glass' and outcome = '0']"/>

  <xsl:template match="/">
    <html lang="{$lang}">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="$l/access_title"/>
      </xsl:call-template>
      <body>
        <xsl:call-template name="top">
          <xsl:with-param name="title" select="$l/access_title"/>
        </xsl:call-template>
        <main id="main" class="page">
          <h1><xsl:value-of select="$l/open_history"/></h1>
          <p class="lead">
            <xsl:if test="string($v/name)"><b><xsl:value-of select="$v/name"/></b><br/></xsl:if>
            <xsl:value-of select="$l/access_lead"/>
          </p>
          <xsl:if test="$opened">
            <p class="notice alarm"><xsl:value-of select="$l/glass_a"/><b><xsl:value-of select="count($opened)"/></b><xsl:value-of select="$l/glass_b"/></p>
          </xsl:if>
          <xsl:choose>
            <xsl:when test="$events"><xsl:call-template name="table"/></xsl:when>
            <xsl:otherwise><p class="absent"><xsl:value-of select="$l/no_access"/></p></xsl:otherwise>
          </xsl:choose>
          <p class="rest"><xsl:value-of select="$l/worry"/></p>
          <p class="links">
            <xsl:if test="string($v/home)"><a href="{$v/home}"><xsl:value-of select="$l/back"/></a></xsl:if>
            <xsl:if test="string($v/next)"><xsl:text> </xsl:text><a href="{$v/next}"><xsl:value-of select="$l/earlier"/></a></xsl:if>
          </p>
        </main>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="table">
    <table class="log">
      <thead>
        <tr>
          <th scope="col"><xsl:value-of select="$l/when"/></th>
          <th scope="col"><xsl:value-of select="$l/who"/></th>
          <th scope="col"><xsl:value-of select="$l/why"/></th>
          <th scope="col"><xsl:value-of select="$l/what"/></th>
          <th scope="col"><xsl:value-of select="$l/outcome"/></th>
        </tr>
      </thead>
      <tbody><xsl:apply-templates select="$events"/></tbody>
    </table>
  </xsl:template>

  <xsl:template match="resource">
    <xsl:variable name="purpose" select="agent/item/purposeOfUse/item/coding/item/code"/>
    <xsl:variable name="event" select="subtype/item[system = 'urn:tasuki:audit-event']/code"/>
    <xsl:variable name="glass" select="$event = 'break-glass' or $purpose = 'BTG'"/>
    <xsl:variable name="refused" select="outcome != '0'"/>
    <tr>
      <xsl:attribute name="class">
        <xsl:if test="$glass">glass </xsl:if>
        <xsl:if test="$refused">refused</xsl:if>
      </xsl:attribute>
      <td class="time">
        <time datetime="{recorded}"><xsl:value-of select="substring(recorded, 1, 10)"/><xsl:text> </xsl:text><xsl:value-of select="substring(recorded, 12, 5)"/></time>
      </td>
      <td>
        <b>
          <xsl:choose>
            <xsl:when test="starts-with(agent/item[1]/who/reference, 'Patient/')"><xsl:value-of select="$l/self"/></xsl:when>
            <xsl:when test="string(agent/item[1]/who/display)"><xsl:value-of select="agent/item[1]/who/display"/></xsl:when>
            <xsl:otherwise><xsl:value-of select="$l/unknown_actor"/></xsl:otherwise>
          </xsl:choose>
        </b>
        <xsl:for-each select="agent/item[role]">
          <xsl:text> </xsl:text>
          <span class="role">
            <xsl:call-template name="word">
              <xsl:with-param name="id" select="concat('role_', role/item/coding/item/code)"/>
              <xsl:with-param name="other" select="role/item/coding/item/code"/>
            </xsl:call-template>
            <xsl:text> </xsl:text><xsl:value-of select="who/identifier/value"/>
          </span>
        </xsl:for-each>
      </td>
      <td>
        <xsl:if test="$purpose">
          <xsl:call-template name="word">
            <xsl:with-param name="id" select="concat('why_', $purpose[1])"/>
            <xsl:with-param name="other" select="$purpose[1]"/>
          </xsl:call-template>
        </xsl:if>
        <xsl:for-each select="entity/item/detail/item[type = 'reason']">
          <xsl:text> </xsl:text><span class="reason"><xsl:value-of select="valueString"/></span>
        </xsl:for-each>
      </td>
      <td><xsl:call-template name="what"><xsl:with-param name="event" select="$event"/></xsl:call-template></td>
      <td>
        <xsl:if test="$glass"><b class="badge alarm"><xsl:value-of select="$l/glass"/></b><xsl:text> </xsl:text></xsl:if>
        <xsl:choose>
          <xsl:when test="outcome = '8' or outcome = '12'"><b class="badge"><xsl:value-of select="$l/failed"/></b></xsl:when>
          <xsl:when test="$refused"><b class="badge"><xsl:value-of select="$l/refused"/></b></xsl:when>
          <xsl:otherwise><xsl:value-of select="$l/done"/></xsl:otherwise>
        </xsl:choose>
      </td>
    </tr>
  </xsl:template>

  <xsl:template name="what">
    <xsl:param name="event"/>
    <xsl:call-template name="word">
      <xsl:with-param name="id" select="concat('event_', $event)"/>
      <xsl:with-param name="other" select="$l/event_other"/>
    </xsl:call-template>
    <xsl:for-each select="entity/item[not(type/code = '1')]/what/reference[contains(., '/')]">
      <xsl:text>: </xsl:text>
      <xsl:call-template name="word">
        <xsl:with-param name="id" select="concat('type_', substring-before(., '/'))"/>
        <xsl:with-param name="other" select="substring-before(., '/')"/>
      </xsl:call-template>
    </xsl:for-each>
    <xsl:for-each select="entity/item/detail/item[type = 'count'][number(valueString) &gt; 1]">
      <xsl:text> </xsl:text><span class="count">(<xsl:value-of select="valueString"/><xsl:text> </xsl:text><xsl:value-of select="$l/items"/>)</span>
    </xsl:for-each>
  </xsl:template>

  <!-- The label ID, or OTHER when there is none. -->
  <xsl:template name="word">
    <xsl:param name="id"/>
    <xsl:param name="other"/>
    <xsl:variable name="known" select="$l/*[name() = $id]"/>
    <xsl:choose>
      <xsl:when test="$known"><xsl:value-of select="$known"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="$other"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
